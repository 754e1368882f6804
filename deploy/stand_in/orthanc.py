"""Starts Orthanc from the variables that deploy/compose.yaml sets, named as orthancteam/orthanc names them."""

import json
import os
from pathlib import Path

PLUGINS = Path("/usr/share/orthanc/plugins")
settings = {
    "Name": "stand-in",
    "StorageDirectory": "/var/lib/orthanc/db",
    "RemoteAccessAllowed": True,
    "AuthenticationEnabled": os.environ["ORTHANC__AUTHENTICATION_ENABLED"] == "true",
    "RegisteredUsers": json.loads(os.environ["ORTHANC__REGISTERED_USERS"]),
    "Plugins": [str(p) for p in PLUGINS.glob("libOrthancDicomWeb.so*")] if os.environ.get("DICOM_WEB_PLUGIN_ENABLED") == "true" else [],
}
written = Path("/tmp/orthanc.json")
written.write_text(json.dumps(settings), encoding="utf-8")
os.execvp("Orthanc", ["Orthanc", str(written)])

"""A FHIR R4 server: fetch one patient's record as a bundle, send a DiagnosticReport."""

from dataclasses import dataclass
from typing import Any

import httpx

from tools.errors import BadInput, EmptyInput, ToolsError

_TYPES = ("Condition", "AllergyIntolerance", "Observation", "MedicationRequest", "DiagnosticReport")
_PAGES = 50
_JSON = "application/fhir+json"
Resource = dict[str, Any]


@dataclass(frozen=True)
class FhirServer:
    """A FHIR R4 service.

    Attributes:
        url: Its base, for example `http://127.0.0.1:8080/fhir`.
        token: Bearer token, or None.
    """

    url: str
    token: str | None = None

    def record(self, patient: str) -> Resource:
        """Everything this assistant reads of one patient, as a bundle of type `collection`.

        `$everything` where the server knows it, else one search for each type; pages are followed on the same host only.

        Raises:
            BadInput: A patient id that is none.
            EmptyInput: No such patient.
            ToolsError: The server cannot be reached or refuses.
        """
        _check_id(patient)
        with self._client() as client:
            first = self._get(client, f"Patient/{patient}/$everything", refused=(400, 404, 405, 501))
            if first is not None:
                found = self._pages(client, first)
            else:
                person = self._get(client, f"Patient/{patient}", refused=(404, 410))
                if person is None:
                    raise EmptyInput(f"{self.url} holds no Patient/{patient}")
                found = [person]
                for kind in _TYPES:
                    page = self._get(client, f"{kind}?patient={patient}&_count=200", refused=(400, 404))
                    found += self._pages(client, page) if page else []
        if not any(r.get("resourceType") == "Patient" for r in found):
            raise EmptyInput(f"{self.url} holds no Patient/{patient}")
        return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in found]}

    def send(self, resource: Resource, patient: str | None = None) -> str:
        """Create a resource, or post a bundle; returns where it is kept.

        Args:
            resource: A DiagnosticReport, an AuditEvent, a bundle of type `transaction` or `batch`, or one of type `collection`, as reports
                are written: it is sent as a transaction that puts each resource under its own id, so that sending it twice adds nothing.
            patient: The patient's id on the server: a collection's report and observations become that patient's, and its own patient,
                who has no identity, is not sent.

        Raises:
            BadInput: Not a resource that is sent.
            ToolsError: The server cannot be reached or refuses it.
        """
        kind = resource.get("resourceType")
        if kind not in ("DiagnosticReport", "Bundle", "AuditEvent"):
            raise BadInput(f"{kind!r} is not sent; give a DiagnosticReport, an AuditEvent or a Bundle")
        if kind != "Bundle" and patient is not None:
            raise BadInput(f"a patient is given for a bundle, as `report export` writes it, not for a single {kind}")
        where = self.url.rstrip("/") if kind == "Bundle" else str(kind)
        body = _to_post(resource, patient) if kind == "Bundle" else resource
        with self._client() as client:
            answer = self._ask(client, "POST", where, json=body)
        if answer.status_code not in (200, 201):
            raise ToolsError(f"{self.url} refused the {kind} ({answer.status_code}): {_outcome(answer)}")
        return _place_of(answer, self.url) if kind == "Bundle" else str(answer.headers.get("location", ""))

    def _pages(self, client: httpx.Client, page: Resource) -> list[Resource]:
        found: list[Resource] = []
        for _ in range(_PAGES):
            found += [e["resource"] for e in page.get("entry", []) if isinstance(e, dict) and isinstance(e.get("resource"), dict)]
            follow = next((str(x.get("url", "")) for x in page.get("link", []) if x.get("relation") == "next"), None)
            if not follow:
                return found
            if httpx.URL(client.base_url).join(follow).host != client.base_url.host:
                raise ToolsError(f"{self.url} points to another host for its next page; not followed")
            page = self._get(client, follow) or {}
        raise ToolsError(f"{self.url} gave more than {_PAGES} pages for one patient")

    def _get(self, client: httpx.Client, path: str, refused: tuple[int, ...] = ()) -> Resource | None:
        answer = self._ask(client, "GET", path)
        if answer.status_code in refused:
            return None
        if answer.status_code != 200:
            hint = "; check the token (MEDMPT_FHIR_TOKEN)" if answer.status_code in (401, 403) else ""
            raise ToolsError(f"{self.url} answered {answer.status_code}{hint}: {_outcome(answer)}")
        try:
            body = answer.json()
        except ValueError as error:
            raise ToolsError(f"{self.url} answered something that is not JSON") from error
        if not isinstance(body, dict):
            raise ToolsError(f"{self.url} answered something that is not a FHIR resource")
        return body

    def _ask(self, client: httpx.Client, method: str, path: str, json: Resource | None = None) -> httpx.Response:
        try:
            return client.request(method, path, json=json)
        except httpx.HTTPError as error:
            raise ToolsError(f"{self.url} cannot be reached: {type(error).__name__}; is the server running?") from error

    def _client(self) -> httpx.Client:
        if not self.url.startswith(("http://", "https://")):
            raise BadInput(f"{self.url!r} is not the address of a FHIR server (http:// or https://)")
        headers = {"Accept": _JSON, "Content-Type": _JSON} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        return httpx.Client(base_url=self.url.rstrip("/") + "/", headers=headers, timeout=httpx.Timeout(60, connect=5))


def _check_id(patient: str) -> None:
    if not patient or not all(c.isalnum() or c in "-." for c in patient):
        raise BadInput(f"{patient!r} is not a FHIR id (letters, digits, - and .)")


def _to_post(bundle: Resource, patient: str | None) -> Resource:
    """A bundle that a server acts on: a collection as a transaction, of the patient whom the server knows by that id."""
    kind = bundle.get("type")
    if kind in ("transaction", "batch") and patient is None:
        return bundle
    if kind != "collection":
        raise BadInput(f"a bundle of type {kind!r} is not sent{'' if patient is None else ' for a patient'}; give one of `report export`")
    rows = [
        (e.get("fullUrl"), e["resource"]) for e in bundle.get("entry", []) if isinstance(e, dict) and isinstance(e.get("resource"), dict)
    ]
    if any(not r.get("id") or not r.get("resourceType") for _, r in rows):
        raise BadInput("a resource of the bundle has no id or no type")
    if patient is not None:
        _check_id(patient)
        known = {str(full) for full, r in rows if r["resourceType"] == "Patient"}
        rows = [(full, _pointed(r, known, f"Patient/{patient}")) for full, r in rows if r["resourceType"] != "Patient"]
    entries = [{"fullUrl": full, "resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for full, r in rows]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _pointed(value: Any, old: set[str], new: str) -> Any:
    """A resource whose references to `old` point to `new`."""
    if isinstance(value, dict):
        return {k: new if k == "reference" and v in old else _pointed(v, old, new) for k, v in value.items()}
    return [_pointed(v, old, new) for v in value] if isinstance(value, list) else value


def _place_of(answer: httpx.Response, url: str) -> str:
    """Where the first resource of a bundle is kept, by the server's answer.

    Raises:
        ToolsError: The server refused one of them, as it may in a batch.
    """
    try:
        told = [e.get("response", {}) for e in answer.json().get("entry", [])]
    except (ValueError, AttributeError) as error:
        raise ToolsError(f"{url} answered something that is no FHIR bundle") from error
    refused = [str(r.get("status", "without a status")) for r in told if not str(r.get("status", "")).startswith("2")]
    if refused or not told:
        raise ToolsError(f"{url} refused {len(refused)} of {len(told)} resources: {'; '.join(refused)[:200] or 'none is kept'}")
    return str(told[0].get("location", ""))


def _outcome(answer: httpx.Response) -> str:
    """What an OperationOutcome says, shortened; never the whole body, which may hold a record."""
    try:
        issues = answer.json().get("issue", [])
        said = [i.get("diagnostics") or i.get("details", {}).get("text") or i.get("code") for i in issues]
        return "; ".join(str(s) for s in said)[:200] or "no reason"
    except (ValueError, AttributeError):
        return "no reason given"

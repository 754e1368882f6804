"""What must not be in a case: names, addresses, record numbers. A field that looks like one is refused by its name."""

import re

from tools.errors import BadInput

_LOOKS_LIKE = re.compile(
    r"(^|_)(name|surname|forename|firstname|lastname|family|given|initials|address|street|city|postcode|postal|zip|phone|telephone|mobile|fax|email|"
    r"mrn|ssn|nhs|nhs_number|identifier|patient_id|record|record_number|medical_record|hospital_number|accession|passport|licen[cs]e|insurance|"
    r"dob|birth|birthdate|birth_date|date_of_birth|photo|contact|next_of_kin|ip|url|biometric|姓名|地址|电话|身份证|病历号|住院号|门诊号|出生日期)(_|$)",
    re.IGNORECASE,
)


def looks_identifying(field: str) -> bool:
    """Whether a field name looks like identity."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s\-.]+", "_", field)
    return bool(_LOOKS_LIKE.search(snake) or re.search(r"姓名|地址|电话|身份证|病历号|住院号|门诊号|出生", field))


def refuse(fields: list[str], where: str) -> None:
    """Refuse unknown fields of a case, identity first and by name.

    Raises:
        BadInput: Names the field and what to do.
    """
    identifying = [f for f in fields if looks_identifying(f.rpartition(".")[2])]
    if identifying:
        raise BadInput(
            f"{where}: field {identifying[0]!r} looks like an identity; remove it, a case holds no names, addresses or record numbers"
        )
    if fields:
        raise BadInput(f"{where}: unknown field {fields[0]!r}; remove it or check its spelling against the case format")

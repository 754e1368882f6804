"""What `quantify_ct` holds beside its evidence: the contract's object of `ct quantify`, and the marks of the study."""

from medmpt_backend.imaging.figures import MeasuredCT
from tools.evidence import Payload
from tools.imaging.marks.mark import MarkRow


class Measured(Payload, MeasuredCT):
    """Every figure of one chest CT, each group with its validity; and the marks of the study."""

    marks: tuple[MarkRow, ...] = ()

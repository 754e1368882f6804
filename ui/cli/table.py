"""Which command lives in which module, declared as data so that `medmpt --help` imports no room.

A room's `commands.py` may add subcommands to a group named here; they are found when the group is used.
"""

from dataclasses import dataclass

BACKEND = "medmpt_backend.imaging.commands"
ASKED = "medmpt_backend.imaging.asked.commands"
MODEL = "medmpt_backend.model_commands"
RETRIEVAL = "retrieval.commands"
DRUG_GRAPH = "retrieval.drugs.commands"
TOOLS = "tools.commands"
DRUG_TOOLS = "tools.drugs.commands"
COHORT = "tools.case.virtual.cohort_commands"
MARKS = "tools.imaging.marks.commands"
BUILD = "tools.case.build_command"
JOINING = "tools.case.joining.commands"
REPORTS = "tools.reports.commands"
DRAFTER = "tools.reports.ct_commands"
REPORT_DESK = "agent.reporting.commands"
CASE_SUMMARY = "agent.reporting.summary_command"
MEDMPT_EVALUATION = "tools.imaging.medmpt_evaluation"
AGENT = "agent.commands"
SERVING = "agent.models.serving_commands"
OUTSIDE = "agent.evaluation.commands"
READER = "agent.training.commands"
PACKS = "agent.evaluation.pack_commands"
AUDIT = "agent.audit.commands"
FEEDBACK = "agent.keeping.commands"
BRIDGES = "agent.bridges.commands"
HOSPITAL = "tools.hospital.commands"
BACKUP = "agent.backup_commands"
TEACH = "agent.teaching_commands"
USERS = "ui.login.commands"
SERVE = "ui.cli.serve"

# First word of a command -> modules that may hold it, in the order they are asked.
MODULES: dict[str, tuple[str, ...]] = {
    "serve": (SERVE,),
    "ask": (AGENT,),
    "ct": (BACKEND, ASKED, MODEL, MARKS, DRAFTER),
    "search": (RETRIEVAL,),
    "labs": (TOOLS,),
    "calc": (TOOLS,),
    "report": (REPORTS, REPORT_DESK),
    "case": (TOOLS, CASE_SUMMARY, JOINING),
    "drugs": (DRUG_GRAPH, DRUG_TOOLS),
    "index": (BUILD, RETRIEVAL),
    "corpus": (RETRIEVAL,),
    "weights": (MODEL, BACKEND),
    "models": (MODEL,),
    "cohort": (COHORT,),
    "train": (MODEL, BACKEND, READER),
    "parity": (MODEL, BACKEND),
    "llm": (SERVING, AGENT),
    "eval": (AGENT, OUTSIDE, MEDMPT_EVALUATION, TOOLS, RETRIEVAL, MODEL),
    "data": (AGENT, BACKUP, AUDIT),
    "pacs": (HOSPITAL,),
    "fhir": (HOSPITAL,),
    "dicom": (HOSPITAL,),
    "teach": (TEACH,),
    "users": (USERS,),
    "feedback": (FEEDBACK,),
    "replay": (AUDIT,),
    "pack": (PACKS,),
    "doctor": (AGENT,),
    "mcp": (BRIDGES,),
    "serve-api": (BRIDGES,),
}


@dataclass(frozen=True)
class Entry:
    """One line of the command list: help panel and a summary."""

    panel: str
    summary: str


_ASK, _CT, _KNOW, _CASE, _MODEL, _HOUSE = "Assistant", "Chest CT", "Guidelines", "Case", "Model", "Housekeeping"
_HOSPITAL = "Hospital systems"
_TEACH = "Teaching"

# The contract's commands. The ones whose room is not furnished yet answer `unavailable`.
DECLARED: dict[str, Entry] = {
    "serve": Entry(_ASK, "Open the assistant in the browser"),
    "ask": Entry(_ASK, "Ask one question, with or without a case"),
    "mcp": Entry(_ASK, "Offer the tools to other agents (Model Context Protocol)"),
    "serve-api": Entry(_ASK, "Answer as an OpenAI-compatible server"),
    "ct quantify": Entry(_CT, "Volumes and densities of the lungs, no model needed"),
    "ct measure": Entry(_CT, "Measure the lesion at one voxel"),
    "ct mark": Entry(_CT, "Measure a lesion and keep it as a numbered mark"),
    "ct marks": Entry(_CT, "List, rename or delete the marks of a study"),
    "ct look": Entry(_CT, "Metal, pericardial fluid, bullae and low vertebral bodies, as an experiment"),
    "ct lobes": Entry(_CT, "Lobes by their fissures, as an experiment"),
    "ct candidates": Entry(_CT, "Places in the lungs that look like a nodule, to look at"),
    "ct compare": Entry(_CT, "Pair the nodules of two CTs and say how they grew"),
    "ct encode": Entry(_CT, "Embed a chest CT with MedMPT"),
    "ct classify": Entry(_CT, "Findings with calibrated probabilities"),
    "ct report": Entry(_CT, "Draft a report from measurements and model"),
    "ct explain": Entry(_CT, "Heatmaps of what the model looked at"),
    "ct encode-archive": Entry(_CT, "Embed folders of studies, on one machine or a Ray cluster"),
    "search": Entry(_KNOW, "Search the guideline passages"),
    "labs interpret": Entry(_CASE, "Flag laboratory values and name patterns"),
    "calc list": Entry(_CASE, "List the clinical scores"),
    "calc": Entry(_CASE, "Calculate one clinical score"),
    "calc explain": Entry(_CASE, "Items, bands, formula and source of one score"),
    "report check": Entry(_CASE, "Check a CT report before signing"),
    "report draft": Entry(_CASE, "Draft a structured report into a file"),
    "report edit": Entry(_CASE, "Accept, change, strike or add sentences of a report"),
    "report sign": Entry(_CASE, "Sign a report: text, name and time are frozen"),
    "report addendum": Entry(_CASE, "Add to a signed report"),
    "report export": Entry(_CASE, "Write a report as PDF, DOCX, Markdown, FHIR or DICOM SR"),
    "report conversation": Entry(_CASE, "Write a conversation as PDF, DOCX or Markdown"),
    "case summary": Entry(_CASE, "The case on one page for ward, handover or tumour board"),
    "case show": Entry(_CASE, "Show a case as it was understood"),
    "case remember": Entry(_CASE, "Add a CT study to your own similar cases"),
    "case merge": Entry(_CASE, "Join sources of one patient into one case"),
    "case import-fhir": Entry(_CASE, "Turn a FHIR R4 bundle into a case"),
    "pacs find": Entry(_HOSPITAL, "Find studies in an archive (DICOMweb or DIMSE)"),
    "pacs fetch": Entry(_HOSPITAL, "Fetch a study from an archive into a case, de-identified"),
    "pacs send": Entry(_HOSPITAL, "Send DICOM objects to an archive"),
    "pacs listen": Entry(_HOSPITAL, "Take what an archive or scanner sends, de-identified, into cases"),
    "dicom deidentify": Entry(_HOSPITAL, "De-identify DICOM files into a case"),
    "dicom segment": Entry(_HOSPITAL, "Write the lungs of a series as DICOM SEG"),
    "fhir fetch": Entry(_HOSPITAL, "Fetch a patient's record from a FHIR server into a case"),
    "fhir send": Entry(_HOSPITAL, "Send a DiagnosticReport to a FHIR server"),
    "drugs query": Entry(_CASE, "Ask the drug knowledge graph"),
    "drugs check": Entry(_CASE, "Check a case's medicines"),
    "drugs rank": Entry(_CASE, "Rank medicines for a case"),
    "drugs edges": Entry(_MODEL, "Write the drug graph's edges for training"),
    "weights list": Entry(_MODEL, "Installed MedMPT weights"),
    "weights use": Entry(_MODEL, "Choose the weights to use"),
    "weights verify": Entry(_MODEL, "Check installed weights"),
    "weights import": Entry(_MODEL, "Install weights from a file"),
    "weights remove": Entry(_MODEL, "Delete installed weights"),
    "weights publish": Entry(_MODEL, "Make trained weights ready to ship"),
    "models list": Entry(_MODEL, "Models that can be used beside MedMPT, with domain and licence"),
    "models check": Entry(_MODEL, "Say whether a model is installed, and run it once"),
    "cohort generate": Entry(_MODEL, "Make a virtual cohort"),
    "cohort reports": Entry(_MODEL, "Write the reports of a virtual cohort anew"),
    "train pretrain": Entry(_MODEL, "Pretrain a compact MedMPT"),
    "train finetune": Entry(_MODEL, "Fine-tune MedMPT"),
    "train tokenizer": Entry(_MODEL, "Learn the vocabulary of a data set's reports"),
    "train heads": Entry(_MODEL, "Fit heads on a frozen encoder"),
    "train reader": Entry(_MODEL, "Fit the reader of messages on labelled utterances"),
    "train opinion": Entry(_MODEL, "Fit the second reading of claims on pairs written by hand and on perturbed passages"),
    "train convert": Entry(_MODEL, "Turn DICOM folders and a table of reports into training shards"),
    "parity": Entry(_MODEL, "Compare with the published model's outputs"),
    "index build": Entry(_HOUSE, "Build the search index"),
    "index status": Entry(_HOUSE, "What the search index holds"),
    "index add": Entry(_HOUSE, "Add your own documents to the index"),
    "index remove": Entry(_HOUSE, "Remove a document from the index"),
    "index list": Entry(_HOUSE, "List your documents in the index"),
    "corpus lint": Entry(_HOUSE, "Check the guideline corpus"),
    "llm install": Entry(_HOUSE, "Install a local chat model server"),
    "llm serve": Entry(_HOUSE, "Run a local chat model"),
    "llm check": Entry(_HOUSE, "Try what a chat model can do"),
    "eval retrieval": Entry(_HOUSE, "Measure search against baselines"),
    "eval medmpt": Entry(_HOUSE, "Measure MedMPT weights on a test cohort"),
    "eval questions": Entry(_HOUSE, "Measure answers to a file of knowledge questions"),
    "eval routing": Entry(_HOUSE, "Measure which tools a file of messages reaches"),
    "eval cases": Entry(_HOUSE, "Measure answers to a file of bedside questions"),
    "eval dialogues": Entry(_HOUSE, "Measure a file of conversations"),
    "eval verify": Entry(_HOUSE, "Measure planted faults caught and sound sentences refused"),
    "eval safety": Entry(_HOUSE, "Measure what is declined and taken for an emergency"),
    "eval llm": Entry(_HOUSE, "Measure a chat model beside the planner"),
    "data export": Entry(_HOUSE, "Write out everything stored about you"),
    "data erase": Entry(_HOUSE, "Erase stored conversations and files"),
    "data backup": Entry(_HOUSE, "Write everything stored to one file"),
    "data restore": Entry(_HOUSE, "Put a backup back"),
    "feedback list": Entry(_HOUSE, "List what was said of answers"),
    "feedback export": Entry(_HOUSE, "Write what was said of answers as CSV or JSON lines"),
    "users add": Entry(_HOUSE, "Add an account for a shared server"),
    "users list": Entry(_HOUSE, "List the accounts"),
    "users remove": Entry(_HOUSE, "Delete an account"),
    "users passwd": Entry(_HOUSE, "Change a password"),
    "teach list": Entry(_TEACH, "List the teaching cases"),
    "teach next": Entry(_TEACH, "The teaching case to read next"),
    "teach progress": Entry(_TEACH, "Weak findings, calibration, reliance on the machine"),
    "teach export": Entry(_TEACH, "Write all finished readings as CSV"),
    "teach build": Entry(_TEACH, "Generate the CTs of the teaching cases"),
    "data ledger": Entry(_HOUSE, "List what is recorded of every turn"),
    "data verify-ledger": Entry(_HOUSE, "Check that nothing recorded was changed"),
    "data audit-events": Entry(_HOUSE, "Export the ledger as FHIR AuditEvents"),
    "replay": Entry(_HOUSE, "Ask a recorded turn again and compare the bytes"),
    "pack list": Entry(_HOUSE, "Other specialties: in use, installed, shipped"),
    "pack add": Entry(_HOUSE, "Install a specialty pack"),
    "pack remove": Entry(_HOUSE, "Take a specialty pack out"),
    "pack check": Entry(_HOUSE, "Read a pack and ask its own questions"),
    "doctor": Entry(_HOUSE, "Say what is installed and what is missing"),
}

"""`Can this patient have X?`: a verdict on every drug that the question names, with the reason and the alternative."""

from retrieval.drugs.facts import Drug
from retrieval.drugs.names import normalise
from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns
from tools.bedside.cautions import Objection, closed, objections
from tools.bedside.instead import alternative, in_pregnancy, support
from tools.bedside.judging import evidence
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import words
from tools.bedside.regimens import choose, forbidding
from tools.evidence import Evidence

both = messages("tools.bedside").pair

_WORDS = patterns("tools.bedside")
_RULED_OUT, _RULED_OUT_AFTER = _WORDS.regex("ruled_out"), _WORDS.regex("ruled_out_after")
_Line = tuple[str, str, Objection | None]

# Source of a verdict that rests on nothing being found against the medicine.
UNOPPOSED = "drug graph and record"
_MORE_REASONS = 2
_MOST_BESIDES = 4
# Medicines that can pause for a course of another; those of a patient's main disease cannot.
_SPARED = (
    "@statins;@ssri;@snri;@tca;@maoi;@other_antidepressants;@triptans;@ppi;@nsaids;@antiemetics;@polyvalent_cations;@herbal_food;"
    "@gout_drugs;@theophyllines;@sulfonylureas;@alpha_blockers;@pde5_inhibitors;@antihistamines;@opioids;@benzodiazepines;"
    "@fibrates;@nitrates;@antitussives;@muscle_relaxants"
)
# Short courses for which a statin pauses.
_WITHOUT_STATIN = "@azoles;nirmatrelvir-ritonavir"
# Antibacterials whose place the regimen of the infection takes, whatever a row says.
_BY_REGIMEN = "@macrolides;@fluoroquinolones"
_ANTIBACTERIALS = (
    "@penicillins;@cephalosporins;@carbapenems;@macrolides;@fluoroquinolones;@tetracyclines;@oxazolidinones;"
    "@lincosamides;@nitroimidazoles;@glycopeptides;@sulfonamides;@aminoglycosides"
)


def asks_whether(question: str) -> bool:
    """Whether a question asks if something may be given."""
    return bool(words("may").search(question))


def _named(question: str, record: Record) -> tuple[list[str], list[str]]:
    """Drugs that the question names: those not taken now, and those taken."""
    current = {d.id for d in record.patient.current}
    # Alcohol that somebody withdraws from is not a medicine to be given.
    ill = bool(words("withdrawal").search(question))
    said = [m for m in record.graph.scan(question) if not _ruled_out(question, m.start, m.end)]
    drugs = dict.fromkeys(i for m in said if m.kind in ("drug", "combination") for i in m.ids)
    named = [d for d in drugs if not (ill and d == "alcohol")]
    groups = [c for m in said if m.kind == "class" for c in m.ids]
    of_class = [d.id for d in record.patient.current if any(d.id in record.members(f"@{c}") for c in groups)]
    taken = list(dict.fromkeys([*(d for d in named if d in current), *of_class]))
    return _asked_of([d for d in named if d not in current], taken, record), taken


def _ruled_out(question: str, start: int, end: int) -> bool:
    """Whether the question itself rules a medicine out (`he can't have penicillin`, `allergic to penicillin`)."""
    flat = normalise(question)
    return bool(_RULED_OUT.search(flat[:start]) or _RULED_OUT_AFTER.search(flat[end:]))


def _asked_of(new: list[str], taken: list[str], record: Record) -> list[str]:
    """Without the allergen that the record lists, where the question is about another drug beside it."""
    allergens = {i for a in record.case.patient.allergies for i in record.graph.allergens(a.substance)}
    classes = {record.graph.drug(i).drug_class for i in allergens}
    others = [d for d in new if d not in allergens and record.graph.drug(d).drug_class not in classes]
    return others if others or taken else new


def refusals(question: str, record: Record) -> list[Evidence]:
    """Drugs that the question would add and that must not be given here: the verdict comes before all else."""
    if not (asks_whether(question) or question.strip().endswith(("?", "？"))):
        return []
    new, taken = _named(question, record)
    found: list[_Line] = _held_beside(new, taken, record)
    for drug in new[:3]:
        rank, lines = _of(drug, objections(record, drug), bool(forbidding(record, drug)), record)
        found += lines if rank == 0 else []
    return [
        evidence(f"B-may-{'-'.join(new[:2])}-{n}", en, zh, o.source if o else UNOPPOSED, o.year if o else None)
        for n, (en, zh, o) in enumerate(found)
    ]


def unspoken(question: str, record: Record, said: list[Evidence], *, grave: bool = False) -> list[Evidence]:
    """The verdict on drugs that the sentences found so far do not speak of, where something (with `grave`: much) speaks against them."""
    text = " ".join(e.text for e in said)
    told = {d.id for d in record.graph.mentions(text)}
    new, taken = ([d for d in drugs if d not in told] for drugs in _named(question, record))
    found: list[_Line] = []
    for drug in taken[:2]:
        rank, lines = _kept(drug, [], record)
        found += lines if rank <= 1 else []
    for drug in new[:2]:
        rank, lines = _of(drug, objections(record, drug), bool(forbidding(record, drug)), record)
        found += lines if rank < (2 if grave else 3) else []
    return [
        evidence(f"B-may-{'-'.join([*new, *taken][:2])}-{n}", en, zh, o.source if o else UNOPPOSED, o.year if o else None)
        for n, (en, zh, o) in enumerate(found)
    ]


def _held_beside(new: list[str], taken: list[str], record: Record) -> list[_Line]:
    """Medicines that the question names and the patient takes, to be held while a new one is given."""
    out: list[_Line] = []
    spared = record.members(_SPARED)
    for drug in [d for d in taken if d in spared][:2]:
        worst = next((o for o in objections(record, drug, others=tuple(new)) if o.other in new and o.grave <= 1), None)
        if worst is not None:
            mine, other = record.graph.name(drug), record.graph.name(worst.other)
            en, zh = worst.told
            out.append(
                (
                    *both(
                        "No: hold {mine} while {other} is given, or choose another drug. {text}",
                        mine=(mine.en, mine.zh),
                        other=(other.en, other.zh),
                        text=(closed(en, "."), closed(zh, "。")),
                    ),
                    worst,
                )
            )
    return out


def _classes(question: str, record: Record) -> list[str]:
    """Classes that the question names without a drug of theirs."""
    return [m.ids[0] for m in record.graph.scan(question) if m.kind == "class"]


def verdicts(question: str, record: Record) -> list[Evidence]:
    """One verdict per drug asked about, worst first; a class is answered from its members."""
    new, taken = _named(question, record)
    out: list[tuple[int, list[_Line]]] = []
    beside = _held_beside(new, taken, record)
    if beside:
        out.append((-1, beside))
    for drug in new[:4]:
        out.append(_of(drug, _asked_beside(objections(record, drug), taken), bool(forbidding(record, drug)), record))
    if not new:
        out += [_kept(drug, [d for d in taken if d != drug], record) for drug in taken[:2]]
        out = _told_apart(out) if len(taken) > 1 else out
    if not new and not taken:
        out += [line for group in _classes(question, record)[:2] if (line := _class(group, record)) is not None]
    ordered = [line for _, lines in sorted(out, key=lambda pair: pair[0]) for line in lines]
    names = "-".join((new or taken or _classes(question, record))[:2])
    return [
        evidence(f"B-may-{names}-{n}", en, zh, o.source if o else UNOPPOSED, o.year if o else None) for n, (en, zh, o) in enumerate(ordered)
    ]


def _kept(drug: str, beside: list[str], record: Record) -> tuple[int, list[_Line]]:
    """Whether a medicine that the patient takes can go on, beside the others that are named (or all that are taken)."""
    others = tuple(beside) or None
    found = [o for o in objections(record, drug, others=others) if not beside or o.other in beside or o.grave == 0 or _of_record(o)]
    found = sorted(found, key=lambda o: (not _of_record(o), o.other not in beside, o.grave)) if beside else found
    name = record.graph.name(drug)
    pair = [f for other in beside for f in record.graph.interactions(drug, other)] if beside and not found else []
    if pair:
        return 2, [(*both("With care: {pair}", pair=(closed(pair[0].text, "."), closed(pair[0].text_zh, "。"))), None)]
    good = None if found else support(drug, record)
    if good is not None:
        return 3, [
            (*both("Yes, {name} can go on: {good}", name=(name.en, name.zh), good=(closed(good[0], "."), closed(good[1], "。"))), None)
        ]
    known = None if found else in_pregnancy(drug, record)
    if known is not None:
        return 3, [
            (
                *both(
                    "No reason here to stop {name}. {known}", name=(name.en, name.zh), known=(closed(known[0], "."), closed(known[1], "。"))
                ),
                None,
            )
        ]
    if not found:
        checked, checked_zh = _checked(record)
        return 3, [
            (
                *both(
                    "Nothing was found against going on with {name} among what was checked ({checked}); that is not proof of safety.",
                    name=(name.en, name.zh),
                    checked=(checked, checked_zh),
                ),
                None,
            )
        ]
    worst = found[0]
    en, zh = worst.told
    word, word_zh = _word(worst)
    lines: list[_Line] = [(f"{word.format(name.en)}: {closed(en, '.')}", f"{word_zh.format(name.zh)}：{closed(zh, '。')}", worst)]
    if worst.grave <= 1 and not worst.other and (instead := alternative(drug, record)) is not None:
        lines.append((*instead, worst))
    return worst.grave, lines


def _told_apart(out: list[tuple[int, list[_Line]]]) -> list[tuple[int, list[_Line]]]:
    """Verdicts on medicines that are taken together: the second is told only where a reason of its own stands against it."""
    if not out or out[0][0] >= 3:
        return out
    return [line for n, line in enumerate(out) if n == 0 or ((why := line[1][0][2]) is not None and _of_record(why))]


def _of_record(objection: Objection) -> bool:
    """Whether a row on the patient's own values says to stop or hold a medicine now, whatever is taken beside it."""
    return not objection.other and objection.action in ("stop", "hold", "avoid") and objection.grave <= 1


def _word(worst: Objection) -> tuple[str, str]:
    """The bottom line on a medicine that is taken, by what its worst objection asks for."""
    if worst.other:
        return both("Not as it stands ({})") if worst.grave <= 1 else both("{} can go on with care")
    return {
        "stop": both("No, stop {}"),
        "hold": both("Hold {} for now"),
        "avoid": both("No, avoid {}"),
        "reduce": both("Reduce {}"),
    }.get(worst.action, both("{} can go on with care"))


def _class(group: str, record: Record) -> tuple[int, list[_Line]] | None:
    """A class by its members: which are out and why, which need care, which meet no objection."""
    bad, care, free = [], [], []
    reason: Objection | None = None
    for drug in record.graph.members(group):
        found = objections(record, drug.id)
        if found and found[0].grave <= 1:
            bad.append(drug)
            reason = found[0] if reason is None or found[0].grave < reason.grave else reason
        elif found:
            care.append(drug)
        else:
            free.append(drug)
    if not (bad or care or free):
        return None
    name = record.graph.group_name(group)
    pieces: list[Pair] = []
    if bad and reason is not None:
        pieces.append(both("avoid {drugs} ({reason})", drugs=_names(bad), reason=(reason.en.rstrip("."), reason.zh.rstrip("。"))))
    if care:
        pieces.append(both("with care {drugs}", drugs=_names(care)))
    if free:
        pieces.append(both("nothing found against {drugs}", drugs=_names(free)))
    if bad:
        head = both("Depends on the drug") if care or free else both("No")
    else:
        head = both("With care") if care else both("No objection found")
    told = ("; ".join(en for en, _ in pieces), "；".join(zh for _, zh in pieces))
    lines: list[_Line] = [(*both("{head} ({name}): {told}.", head=head, name=(name.en, name.zh), told=told), reason)]
    return (0 if bad else 2), lines


def _names(drugs: list[Drug]) -> Pair:
    return ", ".join(d.name for d in drugs[:6]), "、".join(d.name_zh for d in drugs[:6])


def _asked_beside(found: list[Objection], taken: list[str]) -> list[Objection]:
    """Objections with the medicines that the question names before others of no more weight."""
    return sorted(found, key=lambda o: (o.grave > 1, o.other not in taken, o.grave)) if taken else found


def _of(drug: str, found: list[Objection], forbidden: bool, record: Record) -> tuple[int, list[_Line]]:
    """Verdict on a drug that is not taken yet: rank (0 is no) and its sentences."""
    name = record.graph.name(drug)
    worst = found[0] if found else None
    head: _Line
    pausing = _statins_only(drug, found, record)
    if pausing and worst is not None:
        rank = 2
        names = ", ".join(record.graph.name(d).en for d in pausing), "、".join(record.graph.name(d).zh for d in pausing)
        text = " ".join(closed(o.en, ".") for o in found[:2]), "".join(closed(o.zh, "。") for o in found[:2])
        head = (*both("Yes, if {others} stops for the course: {text}", others=names, text=text), worst)
    elif worst is not None and (forbidden or worst.grave <= 1):
        rank = 0 if forbidden or worst.grave == 0 else 1
        word, word_zh = both("No: avoid") if rank == 0 else both("Better not, avoid if possible:")
        reasons = [worst.told, *((o.en, o.zh) for o in _other_reasons(worst, found))]
        tail, tail_zh = " ".join(closed(en, ".") for en, _ in reasons), "".join(closed(zh, "。") for _, zh in reasons)
        head = (f"{word} {name.en}. {tail}", f"{word_zh}{name.zh}：{tail_zh}", worst)
    elif worst is not None:
        rank = 2
        head = (*both("{name} can be given with care: {worst}", name=(name.en, name.zh), worst=(worst.en, worst.zh)), worst)
    elif (good := support(drug, record)) is not None:
        rank = 3
        head = (
            *both("Yes, {name} can be given: {good}", name=(name.en, name.zh), good=(closed(good[0], "."), closed(good[1], "。"))),
            None,
        )
    elif (known := in_pregnancy(drug, record)) is not None:
        rank = 3
        head = (
            *both(
                "Nothing found against {name} here. {known} Whether it is indicated is another question.",
                name=(name.en, name.zh),
                known=(closed(known[0], "."), closed(known[1], "。")),
            ),
            None,
        )
    else:
        rank = 3
        checked, checked_zh = _checked(record)
        head = (
            *both(
                "Nothing found against {name} among what was checked ({checked}); that is not proof of safety.",
                name=(name.en, name.zh),
                checked=(checked, checked_zh),
            ),
            None,
        )
    lines: list[_Line] = [head]
    if rank < 2:
        found_row = alternative(drug, record)
        by_regimen = drug in record.members(_BY_REGIMEN) or found_row is None
        instead = (_regimen_instead(drug, record) if by_regimen else None) or found_row
        if instead is not None:
            lines.append((*instead, worst))
    return rank, [*lines, *_besides(found, head[0], record)]


def _besides(found: list[Objection], told: str, record: Record) -> list[_Line]:
    """The other current medicines that the drug clashes with, in one sentence: each with what may happen."""
    more = [o for o in found if o.other and o.en.rstrip(".") not in told and o.full[0].rstrip(".") not in told][:_MOST_BESIDES]
    if not more:
        return []
    names = [record.graph.name(o.other) for o in more]
    en = "; ".join(f"{n.en} ({_happens(o.en, ': ', '.')})" for n, o in zip(names, more, strict=True))
    zh = "；".join(f"{n.zh}（{_happens(o.zh, '：', '。')}）" for n, o in zip(names, more, strict=True))
    return [(*both("It also clashes with {names}.", names=(en, zh)), more[0])]


def _happens(text: str, opens: str, ends: str) -> str:
    """What an interaction leads to: the words behind the colon of its first sentence."""
    return text.split(opens, 1)[-1].split(ends, 1)[0]


def _statins_only(drug: str, found: list[Objection], record: Record) -> list[str]:
    """The statins that are all that stands gravely against a short course of this drug; empty where more does, or nothing."""
    grave = [o for o in found if o.grave <= 1]
    statins = record.members("@statins")
    if drug not in record.members(_WITHOUT_STATIN) or not grave or any(o.other not in statins for o in grave):
        return []
    return list(dict.fromkeys(o.other for o in grave))


def _other_reasons(worst: Objection, found: list[Objection]) -> list[Objection]:
    """Further reasons of other kinds than the worst: a value or a condition of the patient before another medicine."""
    rest = [o for o in found if o is not worst and o.action != "reduce"]
    own = [o for o in rest if not o.other]
    return (own or rest[:1])[:_MORE_REASONS]


def _regimen_instead(drug: str, record: Record) -> tuple[str, str] | None:
    """The regimen of this patient's own infection, in place of an antibacterial that is refused."""
    if drug not in record.members(_ANTIBACTERIALS):
        return None
    lines = choose("antibiotic", record)
    if not lines or drug in {d.id for d in record.graph.mentions(lines[0].text)}:
        return None
    return both("Instead: {regimen}", regimen=(lines[0].text, lines[0].text_zh or lines[0].text))


def _checked(record: Record) -> tuple[str, str]:
    """What a verdict without objection rests on."""
    names = [record.graph.name(d.id) for d in record.patient.current]
    crcl = record.get("crcl")
    allergies = ", ".join(a.substance for a in record.case.patient.allergies)
    listed = (", ".join(n.en for n in names), "、".join(n.zh for n in names)) if names else both("none")
    parts = [
        both("current medicines: {drugs}", drugs=listed),
        both("allergies: {allergies}", allergies=allergies or both("none recorded")),
        *([both("CrCl {shown}", shown=crcl.shown)] if crcl is not None else []),
    ]
    return "; ".join(en for en, _ in parts), "；".join(zh for _, zh in parts)

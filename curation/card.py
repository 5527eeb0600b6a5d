"""The dataset card: what is in a release, how it came about, and what is not known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from curation.gains import words
from curation.manifest import splits_in_order

# From the fewest rows on; the bands of the dataset hub.
SIZES = ((10_000_000, "10M<n<100M"), (1_000_000, "1M<n<10M"), (100_000, "100K<n<1M"), (10_000, "10K<n<100K"),
         (1_000, "1K<n<10K"), (0, "n<1K"))  # fmt: skip


def card(manifest: Mapping[str, Any], data_files: Mapping[str, str] | None = None) -> str:
    """README.md of a release; `data_files` are other files than the release's own, by split, for an export's folder."""
    header = yaml.safe_dump(_header(manifest, data_files), sort_keys=False, allow_unicode=True)
    sections = [
        f"---\n{header}---\n",
        f"# {manifest['project']} {manifest['name']}\n",
        "Preference data curated with Winnow: two responses to one prompt, and which one is better.\n",
        _contents(manifest),
        _origin(manifest),
        _curation(manifest),
        _gain(manifest),
        _noise(manifest),
        _votes(manifest),
        _use(manifest),
        _limits(manifest),
    ]
    return "\n".join(section for section in sections if section)


def _header(manifest: Mapping[str, Any], data_files: Mapping[str, str] | None) -> dict[str, Any]:
    rows = manifest["counts"]["released"]
    splits = [name for name, split in splits_in_order(manifest).items() if split["rows"]]
    files = data_files or {name: f"data/{name}-*.parquet" for name in splits}
    header: dict[str, Any] = {
        "pretty_name": f"{manifest['project']} {manifest['name']}",
        "license": _licence(manifest),
        "size_categories": [next(band for least, band in SIZES if rows >= least)],
        "task_categories": ["text-generation"],
        "tags": ["preference", "reward-model", "winnow"],
    }
    if files:
        header["configs"] = [
            {
                "config_name": "default",
                "data_files": [{"split": name, "path": path} for name, path in files.items()],
            }
        ]
    return header


def _licence(manifest: Mapping[str, Any]) -> str:
    """One licence if every released row has the same; else each row names its own."""
    found = {source["licence"].strip().lower() for source in manifest["sources"] if source["released"]}
    return found.pop() if len(found) == 1 and "" not in found else "other"


def _contents(manifest: Mapping[str, Any]) -> str:
    lines = ["| split | rows | pairs for training | ties | identical sides | empty sides | prompts |", "|" + "---|" * 7]
    for name, split in splits_in_order(manifest).items():
        lines.append(
            f"| {name} | {split['rows']:,} | {split['pairs']:,} | {split['ties']:,} | {split['identical_sides']:,}"
            f" | {split['empty_sides']:,} | {split['prompts']:,} |"
        )
    return _section(
        "What is in it",
        "\n".join(lines),
        "Labels lie on -3..3: negative means that `response_a` is better, 0 is a tie. Splits go by prompt; prompts that"
        " differ only in case or spacing, or that a near-duplicate run grouped, are in one split.",
    )


def _origin(manifest: Mapping[str, Any]) -> str:
    lines = ["| source | licence | imported | released |", "|" + "---|" * 4]
    for source in manifest["sources"]:
        licence = source["licence"] or "not stated"
        lines.append(
            f"| {_cell(source['name'])} | {_cell(licence)} | {source['comparisons']:,} | {source['released']:,} |"
        )
    return _section("Where it comes from", "\n".join(lines))


def _curation(manifest: Mapping[str, Any]) -> str:
    counts, recipe = manifest["counts"], manifest["recipe"]
    lines = ["| rule | action | matched | released |", "|" + "---|" * 4]
    for rule in counts["rules"]:
        action = rule["action"] + (" (unaudited)" if rule["unaudited"] else " (audited)" if rule.get("audit") else "")
        lines.append(f"| {_cell(rule['name'])} | {action} | {rule['matched']:,} | {rule['released']:,} |")
    by_hand = ", ".join(f"{action} {count:,}" for action, count in counts["by_hand"].items()) or "none"
    unaudited = recipe["unaudited_rules"]
    return _section(
        "How it was curated",
        f"Of {counts['comparisons']:,} comparisons {counts['released']:,} were released by the recipe"
        f" “{recipe['name']}”, version {recipe['version']}; the first rule that matches decides, and a person outranks"
        f" every rule. {counts['unmatched']:,} matched no rule and are left out. Decided by hand: {by_hand}.",
        "\n".join(lines),
        _audits(counts["rules"]),
        _by_methods(counts["rules"]),
        f"**Unaudited:** no blind sample bears out what {_names(unaudited)} did." if unaudited else "",
    )


def _audits(rules: list[dict[str, Any]]) -> str:
    """A line per rule of which a sample was checked."""
    found = [(rule["name"], rule["audit"]) for rule in rules if rule.get("audit") and rule["audit"]["n"]]
    return "\n".join(
        f"* “{_cell(name)}” ({audit['proposes']}): in a blind sample of {audit['n']:,} of {audit['population']:,} rows"
        f" {_found(audit)} is at least {audit['bound']:.2f} with"
        f" {100 * audit['confidence']:.3g} % confidence, and has to exceed {audit['threshold']:g}"
        + (". The sample was drawn before the signals were renewed." if audit["known"] == "outdated" else ".")
        for name, audit in found
    )


def _by_methods(rules: list[dict[str, Any]]) -> str:
    """Whose word rules labelled or changed labels by, and what probes say of it."""
    lines = []
    for rule in rules:
        given = rule.get("labels")
        if given and rule["action"] == "label":
            lines.append(
                f"* “{_cell(rule['name'])}” gave {rule['released']:,} rows the label of `{given['method']}`, run"
                f" {given['run']}{_models(given['models'])}: no person chose it."
            )
        lines += [f"* “{_cell(rule['name'])}”: {_probed(gate)}" for gate in rule.get("probes") or []]
    return "\n".join(lines)


def _models(models: Mapping[str, Any]) -> str:
    named = [f"{role} {_cell(str(model.get('name', '')))}" for role, model in sorted(models.items())]
    return f" ({', '.join(named)})" if named else ""


def _probed(gate: Mapping[str, Any]) -> str:
    if gate["passed"]:
        return f"the probes of `{gate['method']}`, run {gate['run']}, passed."
    override = gate["override"]
    said = f"the probes of `{gate['method']}`, run {gate['run']}, **failed**. {_cell(' '.join(gate['reasons']))}"
    if not override:
        return f"{said} So it sends its rows to review."
    return f"{said} It acts all the same on the word of {_cell(override['by'])}: “{_cell(override['note'])}”"


def _found(audit: Mapping[str, Any]) -> str:
    if audit.get("question") == "given":
        return f"{audit['right']:,} of the labels it gives were right; P(right)"
    if audit.get("question") == "claim":
        return f"it held of {audit['holds']:,} that {audit['claim']}; P(holds)"
    return f"{audit['wrong']:,} labels were wrong; P(wrong)"


def _gain(manifest: Mapping[str, Any]) -> str:
    """What training on it was worth, as far as it was measured."""
    gain = manifest.get("gain")
    if not gain:
        return _section("Is it better?", words.NOT_MEASURED)
    lines = ["| trained on | accuracy | 95 % interval |", "|" + "---|" * 3]
    if gain["overall"]:
        for arm, name in words.ARMS.items():
            one = gain["overall"]["arms"][arm]
            lines.append(f"| {name} | {one['value']:.3f} | {one['low']:.3f} to {one['high']:.3f} |")
    sources, params, older = gain["sources"], gain["params"], gain["older_signals"]
    return _section(
        "Is it better?",
        f"**{words.headline(gain['overall'])}** {' '.join(words.beside(gain['overall']))}",
        "\n".join(lines) if gain["overall"] else "",
        "\n".join(f"* {_cell(source['name'])}: {words.of_source(source, gain['overall'])}" for source in sources),
        f"{words.verified(sources)} The learner is a linear head on frozen features; {params['folds']} folds by prompt,"
        f" {params['seeds']} seeds."
        + (f" The signals of {', '.join(older)} are newer than this measurement." if older else ""),
    )


def _noise(manifest: Mapping[str, Any]) -> str:
    """How many of the raw labels are wrong, as far as anybody knows."""
    noise = manifest.get("noise")
    if not noise:
        return ""
    said = {
        "sampled": "Labels found wrong in a blind sample of all labelled rows",
        "labels": "Imported labels wrong, estimated from people's votes",
        "votes": "Single votes wrong, estimated from their disagreement",
    }
    lines = [f"* {words}: {_rate(noise[name])}" for name, words in said.items()]
    made_up = noise["votes"]["simulated"]
    return _section(
        "How noisy the labels were",
        "\n".join(lines),
        "The estimates from votes take every vote to be wrong with the same chance, independently of the others and of"
        " the imported label; where some comparisons are harder than others they are too low."
        + (f" **{made_up:,} of the votes are simulated.**" if made_up else ""),
    )


def _rate(rate: Mapping[str, Any]) -> str:
    if rate["value"] is None:
        return f"not known ({rate['reason']})."
    return f"{rate['value']:.2f}, {rate['low']:.2f} to {rate['high']:.2f}, n = {rate['n']:,}."


def _votes(manifest: Mapping[str, Any]) -> str:
    measured = manifest["measured"]
    said = [f"{measured['judged']:,} released rows were judged by people, with {measured['votes']:,} answers in all."]
    if measured["simulated_votes"]:
        said.append(f"**{measured['simulated_votes']:,} of these answers are simulated**, not given by people.")
    if measured.get("by_method"):
        said.append(f"**{measured['by_method']:,} rows carry a label that a method gave, not a person.**")
    if measured["model_vote"]:
        said.append(
            f"{measured['model_vote']:,} rows carry a model vote: cross-fitted heads on a frozen encoder, fitted per"
            " source. It is evidence about a label, not a label."
        )
    return _section("Who was asked", " ".join(said))


def _use(manifest: Mapping[str, Any]) -> str:
    origin = {
        "recipe": "The margin of a reward export is the recipe's; where a rule gives none, the model votes' strength"
        " toward the released label, and 0 where there are no votes.",
        "model_vote": "The margin of a reward export is the model votes' strength toward the released label, and 0"
        " where there are no votes.",
        None: "Reward exports carry no margin: neither the recipe nor model votes give one.",
    }[manifest["margin"]]
    softened = manifest["measured"]["softened"]
    return _section(
        "How to use it",
        "Ties and pairs with identical or empty sides are in these files and in no pair export. " + origin,
        f"{softened:,} labels are softened. No common trainer reads a soft label or a weight: they are columns for"
        " audit, and a trainer ignores them silently."
        if softened
        else "",
    )


def _limits(manifest: Mapping[str, Any]) -> str:
    return _section(
        "What is not known",
        "The texts were not searched for personal data or for benchmark questions.",
    )


def _section(title: str, *paragraphs: str) -> str:
    return f"## {title}\n\n" + "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _names(names: list[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

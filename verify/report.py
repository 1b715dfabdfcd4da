"""A proof as JSON, and as tables for people: what disagrees first, then who reaches what, and how letters go."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.firewall.render import rule_command
from verify.cells import PORTS, Verdict
from verify.run import CellResult, LetterResult, Proof

Result = TypeVar("Result", CellResult, LetterResult)
ON_ITS_WAY = "still on its way"
STYLES = {Verdict.ACCEPT: "green", Verdict.DROP: "red", Verdict.REFUSE: "dim", Verdict.UNREACHABLE: "yellow"}


def as_json(proof: Proof) -> dict[str, object]:
    """`holds`, `seconds` and the lists of a Proof; of `cells`, `forged` and `letters` what disagrees comes first."""
    return {
        "holds": proof.holds,
        "seconds": {name: round(value, 3) for name, value in proof.seconds.items()},
        "untried": list(proof.untried),
        "failures": list(proof.failures),
        "remarks": list(proof.remarks),
        "links": list(proof.links),
        "cells": [_cell(result) for result in _worst_first(proof.cells)],
        "forged": [_cell(result) for result in _worst_first(proof.forged)],
        "letters": [_letter(result) for result in _worst_first(proof.letters)],
    }


def _worst_first(results: Iterable[Result]) -> list[Result]:
    return sorted(results, key=lambda result: result.agrees)


def _cell(result: CellResult) -> dict[str, object]:
    cell, predicted = result.cell, result.predicted
    return {
        "source": cell.source.name,
        "from": str(cell.source.address),
        "target": cell.target,
        "to": str(cell.address),
        "port": cell.port,
        "predicted": predicted.verdict,
        "seen": result.seen,
        "agrees": result.agrees,
        "machine": predicted.machine,
        "rule": rule_command(predicted.rule) if predicted.rule else None,
    }


def _letter(result: LetterResult) -> dict[str, object]:
    return {
        "sender": result.letter.writer.address,
        "recipient": result.letter.recipient,
        "predicted": sorted(map(str, result.predicted)),
        "seen": sorted(map(str, result.seen)),
        "agrees": result.agrees,
    }


def show(proof: Proof, console: Console) -> None:
    """Everything, on a terminal."""
    for table in (*_disagreements(proof), *_grids(proof.cells), *_lies(proof.forged), *_ways(proof.letters)):
        console.print(table)
        console.print()
    for failure in proof.failures:
        console.print(f"[bold red]Could not be tried:[/] {escape(failure)}")
    for remark in proof.remarks:
        console.print(f"Could not be taken away: {escape(remark)}", style="yellow")
    if proof.untried:
        console.print(f"Not tried, because no sender has an address there: {', '.join(proof.untried)}")
    wrong = proof.wrong
    what = f"{len(proof.cells):,} connections, {len(proof.forged)} datagrams" + (
        f" and {len(proof.letters)} letters" if proof.letters else ""
    )
    seconds = f"predicted in {proof.seconds['predict']:.2f} s, tried in {proof.seconds['all']:.1f} s"
    if wrong:
        console.print(f"[bold red]{wrong} of {what} are not as the configuration says[/] ({seconds}).")
        console.print(
            "Somebody changed a machine, or the configuration without `make up`; or the prover does not know a setting."
        )
        if proof.links:
            console.print(
                f"The wires of {', '.join(proof.links)} are slow or lossy (`links`), which no prediction knows: "
                "a try may be lost or come too late. To be sure, take `links` away and try again."
            )
    else:
        console.print(f"[bold green]All {what} are as the configuration says[/] ({seconds}).")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _disagreements(proof: Proof) -> Iterable[Table]:
    cells = [result for result in (*proof.cells, *proof.forged) if not result.agrees]
    if cells:
        table = _table(
            "Not as predicted", "from", "address", "to", "port", "predicted", "seen", "the rule that decided"
        )
        for r in cells:
            port = f"{r.cell.port} {PORTS.get(r.cell.port, 'datagram')}"
            words = (_word(r.predicted.verdict), _word(r.seen), escape(r.predicted.reason))
            table.add_row(r.cell.source.name, str(r.cell.source.address), r.cell.target, port, *words)
        yield table
    letters = [result for result in proof.letters if not result.agrees]
    if letters:
        table = _table("Letters not as predicted", "from", "to", "predicted", "seen")
        for x in letters:
            ends = (_lines(x.predicted), _lines(x.seen) or ON_ITS_WAY)
            table.add_row(x.letter.writer.address, x.letter.recipient, *ends)
        yield table


def _word(verdict: Verdict) -> str:
    return f"[{STYLES[verdict]}]{verdict}[/]"


def _lines(ends: Iterable[object]) -> str:
    return "\n".join(sorted(map(str, ends)))


def _grids(results: Iterable[CellResult]) -> Iterable[Table]:
    """A table for each target: the sources that see the same share a row."""
    by_target: dict[str, list[CellResult]] = defaultdict(list)
    for result in results:
        by_target[result.cell.target].append(result)
    for target, found in by_target.items():
        rows: dict[tuple[str, int], dict[int, Verdict]] = defaultdict(dict)
        for result in found:
            rows[result.cell.source.name, result.cell.address.version][result.cell.port] = result.seen
        groups: dict[tuple[Verdict, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for (name, version), seen in rows.items():
            groups[tuple(seen[port] for port in PORTS)][name].append(version)
        table = _table(f"To {target}", "from", *(f"{port}\n{name}" for port, name in PORTS.items()))
        for verdicts, names in sorted(groups.items(), key=lambda group: -len(group[1])):
            table.add_row(", ".join(_named(names)), *map(_word, verdicts))
        table.caption, table.caption_justify, table.caption_style = "\n".join(_rules(found)), "left", "dim"
        yield table


def _named(names: Mapping[str, list[int]]) -> list[str]:
    return [name if len(versions) == 2 else f"{name} (IPv{versions[0]})" for name, versions in sorted(names.items())]


def _rules(results: Iterable[CellResult]) -> list[str]:
    """The rules that kept somebody out. (The JSON has the rule of every connection.)"""
    decided = (r.predicted for r in results if r.predicted.verdict is not Verdict.ACCEPT)
    return [escape(text) for text in dict.fromkeys(prediction.reason for prediction in decided if prediction.rule)]


def _lies(results: Iterable[CellResult]) -> Iterable[Table]:
    found = list(results)
    if found:
        table = _table("Datagrams, with true and forged sources", "from", "as", "to", "came", "decided")
        for r in found:
            table.add_row(
                r.cell.source.name, str(r.cell.source.address), r.cell.target, _word(r.seen), escape(r.predicted.reason)
            )
        yield table


def _ways(results: Iterable[LetterResult]) -> Iterable[Table]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for result in results:
        groups[result.letter.recipient, _lines(result.seen)].append(result.letter.writer.address)
    if groups:
        table = _table("Letters", "to", "way and end", "from")
        before = ""
        places = list(dict.fromkeys(recipient for recipient, _ in groups))
        for (recipient, ways), senders in sorted(groups.items(), key=lambda group: places.index(group[0][0])):
            # Said once: the eye finds the next recipient.
            table.add_row(
                "" if recipient == before else recipient, ways or "still on its way", ", ".join(_short(senders))
            )
            before = recipient
        yield table


def _short(senders: list[str]) -> list[str]:
    """Both families of one domain are one word."""
    domains: dict[str, list[str]] = defaultdict(list)
    for sender in senders:
        local, _, domain = sender.rpartition("@")
        domains[domain].append(local)
    return [domain if len(found) > 1 else f"{found[0]}@{domain}" for domain, found in domains.items()]

"""One language in all commands: no two meanings for an option's name, no two names for a meaning.

`MEANINGS` is the dictionary. Whoever adds an option adds its meaning here, or finds that it has a
name already; the help of every command must begin with these words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations

import click
import pytest

from cimis.cli.app import COMMANDS, cli
from cimis.cli.options import declare, option

MEANINGS = {
    "--active": "Only stations that work now",
    "--address": "Spatial data of an address",
    "--adopt": "Take over chunks that lie there unlisted",
    "--agreement": "Tell per station how far the two figures agree",
    "--all": "All stations that work now",
    "--allocs": "Measure the memory that decoding and the rows take",
    "--allow-empty": "Exit 0, not 3, where nothing matches",
    "--allow-loss": "Go ahead where V1 cannot hold everything",
    "--app-key": "API key",
    "--backoff": "Wait before the first retry",
    "--base-url": "Service address",
    "--by": "One line per ",
    "--cache": "The most that the read cache of a scope may take",
    "--calendar": "Draw each year",
    "--called": "Only stations whose name or city holds the text",
    "--checks": "Of daily records range, outlier",
    "--closed": "Only stations that work no more",
    "--compare": "Put beside each daily value that of the same day of another year",
    "--concurrency": "Requests at once",
    "--coordinate": "Spatial data of a point",
    "--county": "Stations whose county holds the text",
    "--crops": "Crops, TOML",
    "--cutoff": "What counts above the upper threshold",
    "--data-dir": "Data directory",
    "--dry-run": "Change nothing",
    "--end": "Last day, inclusive",
    "--eto": "Only stations that measure reference ET",
    "--every": "Sum up over periods",
    "--explain": "Show how it would be answered and what is pushed down",
    "--fail-on": "Exit 8 where a check finds a sensor suspect or bad",
    "--fail-under": "Exit 8 where an item of a station is less complete",
    "--fault": "Make a kind of fault at a rate",
    "--fault-file": "Make the faults that a TOML file describes",
    "--fault-rate": "Make faults of every kind that passes",
    "--file": "Read the question from a file",
    "--fill": "Give one figure, computed where the network's is missing",
    "--fill-hours": "Interpolate gaps of at most N hours",
    "--format": "Form of what is written",
    "--functions": "Find the heaviest functions too",
    "--ftp-units": "Units of FTP files",
    "--full": "Ask again for days that are stored and final",
    "--gzip": "Ask for compressed answers",
    "--header": "With units CSV and TSV say",
    "--height": "Pixels of a picture's plot",
    "--high": "Upper threshold with its unit",
    "--host": "Address to listen on",
    "--hourly": "The same as --scope hourly",
    "--hours-from": "First day of a winter's chill hours and Utah units",
    "--items": "Items, as air_tmp_avg,asce_eto",
    "--json": "Answer in JSON, errors too",
    "--keep": "Whose value is kept where both have one",
    "--kelvin": "Added to °C in the dynamic model",
    "--landscape": "A landscape: ",
    "--last": "Up to yesterday: ",
    "--latency": "Wait before each answer",
    "--limit": "Give at most N rows",
    "--list": "List the named questions",
    "--log-format": "Tell what happens in words, or",
    "--low": "Lower threshold with its unit, as 50F or 10C",
    "--made-at": "When the page says it was made",
    "--max-missing": "Give no sum that lacks a larger share of its hours",
    "--method": "How temperature runs between a day's extremes",
    "--metrics-file": "Write metrics",
    "--month": "A whole month, 2024-06",
    "--names": "Give stations' names beside numbers",
    "--near": "Stations near a point",
    "--network": "Who answers for zip codes: ",
    "--no-color": "No colours",
    "--offline": "Ask the service nothing",
    "--output": "Save to a",
    "--overview": "One page of many stations",
    "--page": "Save a page to mail or print instead",
    "--param": "A value for $NAME",
    "--perf": "Say on standard error where the time went",
    "--period": "Years that count as normal, as 1991-2020",
    "--plain": "Take the plain way",
    "--port": "Port to listen on",
    "--portions-from": "First day of a winter's chill portions",
    "--prefer": "Who answers for zip codes that both networks serve",
    "--qc": "Which flagged values",
    "--quality": "Tell the worst verdict of the checks of 'cimis qc' over the daily records stored",
    "--quiet": "Say nothing but errors",
    "--recheck": "Ask again for so many days before today",
    "--reference": "Reference ET: ",
    "--refresh": "Ask the service for its list",
    "--repair": "Mend the catalog",
    "--replay": "Answer from real files",
    "--retries": "Retries of a request",
    "--runs": "List every run of days or hours that lacks a value",
    "--scope": "Daily or hourly records",
    "--seed": "Draws the faults",
    "--since": "First day of stations that are not stored yet",
    "--sources": "Some of network, computed",
    "--start": "First day: ",
    "--stations": "Stations by number, range or name",
    "--surface": "Short reference (ETo, grass) or tall",
    "--theme": "Colours",
    "--timeout": "Longest wait for the service",
    "--total-from": "First day of the total",
    "--units": "System of units of the answer",
    "--unsafe": "Lift the sandbox",
    "--until": "Last day of a winter",
    "--verbose": "Log every request on standard error",
    "--water-year": "From October of the year before to September",
    "--week": "From Monday to Sunday",
    "--width": "Pixels of a picture (",
    "--window": "Days before and after each day that count with it",
    "--winter": "Winters by the year they end in",
    "--with-closed": "Count stations that work no more as well",
    "--within": "All stations so far from --near",
    "--year": "A whole year, a range 2020-2024",
    "--zip": "Zip codes, as 93624,95616",
}
"""What each option means: the words with which its help begins."""

FORMS = {
    "--format": "what can be written differs",
    "--output": "most write a file, migrate a data directory",
    "--address": "a fetch needs the text of an address, a question only its name",
    "--every": "normals are of days and months only",
    "--units": "degree days are by default in the unit of their threshold",
}
"""Options whose values are not the same everywhere, and why."""

ALIKE = {
    ("--network", "--prefer"): "who alone answers, and who first",
    ("--ftp-units", "--units"): "of a file that is read, and of an answer",
}
"""Options of the same choices that mean different things, and what."""

NAMED_OTHERWISE = {
    **dict.fromkeys(("--from", "--begin", "--first", "--start-date", "--after"), "--start"),
    **dict.fromkeys(("--to", "--stop", "--finish", "--end-date", "--before"), "--end"),
    **dict.fromkeys(("--out", "--save", "--save-as", "--to-file", "--output-file"), "--output"),
    **dict.fromkeys(("--dir", "--root", "--store", "--folder", "--data"), "--data-dir"),
    **dict.fromkeys(("--station-list", "--site", "--sites", "--id", "--ids"), "--stations"),
    **dict.fromkeys(("--columns", "--item", "--variables", "--parameters"), "--items"),
    **dict.fromkeys(("--type", "--kind", "--fmt", "--as", "--chunk-format"), "--format"),
    **dict.fromkeys(("--top", "--max", "--max-rows", "--head", "--n"), "--limit"),
    **dict.fromkeys(("--unit", "--system"), "--units"),
    **dict.fromkeys(("--pretend", "--plan", "--simulate", "--no-act"), "--dry-run"),
    **dict.fromkeys(("--flags", "--quality-control", "--drop-flagged"), "--qc"),
    **dict.fromkeys(("--resolution", "--interval", "--frequency"), "--scope"),
    **dict.fromkeys(("--silent", "--no-progress"), "--quiet"),
    **dict.fromkeys(("--force", "--overwrite", "--refetch"), "--full"),
    **dict.fromkeys(("--jobs", "--workers", "--threads", "--parallel"), "--concurrency"),
    **dict.fromkeys(("--timing", "--time", "--stats"), "--perf"),
    **dict.fromkeys(("--key", "--token", "--api-key"), "--app-key"),
    **dict.fromkeys(("--url", "--server", "--endpoint"), "--base-url"),
    **dict.fromkeys(("--baseline", "--normal-years", "--reference-period"), "--period"),
}
"""Names that other programs give, and the one that a meaning has here."""

Options = list[tuple[str, click.Option]]
"""Options, each with the name of its command."""


def options_of(commands: Iterable[click.Command]) -> Options:
    """Return every option of commands, but for the help's."""
    return [
        (command.name or "", parameter)
        for command in commands
        for parameter in command.params
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts
    ]


def name_of(one: click.Option) -> str:
    """Return the long name by which an option is known."""
    return next(name for name in one.opts if name.startswith("--"))


@pytest.fixture(scope="module")
def every_option() -> Options:
    context = click.Context(cli)
    loaded = [cli.get_command(context, name) for name in COMMANDS]
    return options_of(command for command in loaded if command is not None)


def without_a_meaning(options: Options) -> list[str]:
    """Tell of options that the dictionary lacks, and of help that says something else."""
    found = []
    for command, one in options:
        name = name_of(one)
        if name not in MEANINGS:
            found.append(f"{command} {name}: which meaning is it? add it to MEANINGS")
        elif not (one.help or "").startswith(MEANINGS[name]):
            found.append(f"{command} {name}: {one.help!r} is not {MEANINGS[name]!r}")
    return found


def of_two_forms(options: Options) -> list[str]:
    """Tell of options that are spelled, or take their value, in more than one way."""
    forms: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for _, one in options:
        taken = (one.is_flag, one.multiple, getattr(one, "listed", False))
        value = None if name_of(one) in FORMS else (one.metavar, str(one.type))
        forms[name_of(one)].add((*one.opts, *one.secondary_opts, taken, value))
    return [f"{name}: {sorted(map(str, some))}" for name, some in forms.items() if len(some) > 1]


def of_two_names(options: Options) -> list[str]:
    """Tell of pairs of options that look like one: by parameter, by choices, or by their help."""
    found = []
    facts: dict[str, list[tuple[str, set[object]]]] = defaultdict(list)
    for what, of in (("parameter", _parameter), ("choices", _choices), ("help", _help)):
        values: dict[str, set[object]] = defaultdict(set)
        for _, one in options:
            if (value := of(one)) is not None:
                values[name_of(one)].add(value)
        facts[what] = sorted(values.items())
    for what, some in facts.items():
        for (first, ours), (second, theirs) in combinations(some, 2):
            if ours & theirs and not (what == "choices" and (first, second) in ALIKE):
                found.append(f"{first} and {second} have the same {what}")
    return found


def _parameter(one: click.Option) -> object:
    return one.name


def _choices(one: click.Option) -> object:
    return frozenset(one.type.choices) if isinstance(one.type, click.Choice) else None


def _help(one: click.Option) -> object:
    return one.help


def named_otherwise(options: Options) -> list[str]:
    """Tell of options under a name that means what another does."""
    return [
        f"{command} {name}: that is {NAMED_OTHERWISE[name]}"
        for command, one in options
        for name in [*one.opts, *one.secondary_opts]
        if name in NAMED_OTHERWISE
    ]


CHECKS: tuple[Callable[[Options], list[str]], ...] = (
    without_a_meaning,
    of_two_forms,
    of_two_names,
    named_otherwise,
)


@pytest.mark.parametrize("check", CHECKS)
def test_the_commands_speak_one_language(
    check: Callable[[Options], list[str]], every_option: Options
) -> None:
    assert check(every_option) == []


def test_no_two_meanings_are_the_same() -> None:
    """Nor does one begin like another, which would let help stand for both."""
    for (one, ours), (other, theirs) in combinations(MEANINGS.items(), 2):
        assert not ours.startswith(theirs), (one, other)
        assert not theirs.startswith(ours), (one, other)


def test_the_dictionary_has_no_word_that_nobody_uses(every_option: Options) -> None:
    used = {name_of(one) for _, one in every_option}
    assert MEANINGS.keys() - used == set()
    assert FORMS.keys() - used == set()
    assert {name for pair in ALIKE for name in pair} - used == set()


def test_a_meaning_has_the_name_that_the_table_of_other_names_gives() -> None:
    assert {*NAMED_OTHERWISE.values()} <= MEANINGS.keys()
    assert NAMED_OTHERWISE.keys() & MEANINGS.keys() == set()


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ((("--limit",), {"help": "Most degrees that count.", "metavar": "N"}), "is not 'Give"),
        ((("--units",), {"is_flag": True, "help": "System of units of the answer."}), "--units:"),
        ((("--record-kind",), {"type": click.Choice(["daily", "hourly"])}), "same choices"),
        ((("--where-to", "output"), {"help": "Write there."}), "same parameter"),
        ((("--rows",), {"help": "Give at most N rows."}), "same help"),
        ((("--from",), {"help": "First day: 2024."}), "that is --start"),
        ((("--shiny",), {"help": "Shine."}), "add it to MEANINGS"),
    ],
    ids=["second meaning", "second form", "choices", "parameter", "help", "synonym", "unknown"],
)
def test_a_command_that_speaks_otherwise_is_found(
    attributes: tuple[tuple[str, ...], dict[str, object]], said: str, every_option: Options
) -> None:
    """Each check sees the fault that it is for."""
    names, how = attributes

    @declare("new", examples=["cimis new"])
    @option(*names, **how)
    def command(**_: object) -> None:
        """Speak otherwise."""

    options = [*every_option, *options_of([command])]
    found = [text for check in CHECKS for text in check(options)]
    assert any(said in text for text in found), found

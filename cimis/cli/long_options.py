"""Long options with two dashes or one: typos keep their name, and no value is lost to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["LongOption", "keep_typos"]

_ALIKE = 0.8
"""From here on a word of one dash is a long option mistyped, not letters of short ones."""


class LongOption(click.Option):
    """An option whose long names are taken with two dashes or, as the old program's, with one.

    Given again, it never forgets a value: one that is ``listed`` takes all, joined with commas; of
    the others the second is refused, with the hint ``once`` where there is a better way to say it.
    """

    def __init__(
        self,
        *args: Any,
        listed: bool = False,
        once: str | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self.listed = listed
        self.once = once

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Tell the parser both forms, and to keep every value; help shows the two dashes."""
        shown = self.opts, self.secondary_opts, self.multiple
        self.opts, self.secondary_opts = _both_forms(self.opts), _both_forms(self.secondary_opts)
        self.multiple = True
        try:
            super().add_to_parser(parser, ctx)
        finally:
            self.opts, self.secondary_opts, self.multiple = shown

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Make one value of all that were given, unless the option takes several itself."""
        if not self.multiple and self.name in opts:
            opts = {**opts, self.name: self._one(opts[self.name], ctx)}
        return super().handle_parse_result(ctx, opts, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what a shell offers for the value."""
        from cimis.cli.completing import offered

        found = offered(self.name or "", ctx, incomplete)
        return super().shell_complete(ctx, incomplete) if found is None else found

    def _one(self, given: Sequence[Any], ctx: click.Context) -> Any:
        if self.listed and len(given) > 1:
            return ",".join(given)
        alike = self.is_flag and len(set(given)) == 1
        if len(given) == 1 or alike or ctx.resilient_parsing:
            return given[-1]
        if self.is_flag:
            both = f"{self.opts[-1]} and {self.secondary_opts[-1]}"
            raise UsageError(f"{both} exclude each other", hint="give one of them")
        name = self.opts[-1] if self.opts[-1].startswith("--") else self.opts[0]
        raise UsageError(f"{name} is given more than once", hint=self.once or "give it once")


def _both_forms(names: list[str]) -> list[str]:
    return names + [name[1:] for name in names if name.startswith("--")]


def keep_typos(parser: Any, ctx: click.Context) -> None:
    """Let a parser name a mistyped word of one dash as it was typed, not by its first letter.

    The parser would take ``-outptu x`` for ``-o utptu`` and complain of ``-s`` in ``-statoin``.
    """
    usual = parser._match_short_opt  # click has no public way
    short, known = parser._short_opt, [n for n in parser._long_opt if n[:2] != "--"]

    def match(argument: str, state: Any) -> None:
        word = argument.partition("=")[0]
        from difflib import get_close_matches

        near = len(word) > 3 and get_close_matches(word, known, n=1, cutoff=_ALIKE)
        if near or (len(word) > 2 and not _letters_known(word, short)):
            raise click.NoSuchOption(word, possibilities=known, ctx=ctx)
        usual(argument, state)

    parser._match_short_opt = match


def _letters_known(word: str, short: Mapping[str, Any]) -> bool:
    """Tell whether a word is letters of short options, up to the first that takes a value."""
    for letter in word[1:]:
        option = short.get(f"-{letter}")
        if option is None or option.takes_value:
            return option is not None
    return True

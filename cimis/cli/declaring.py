"""How commands and options are declared: one dash or two, examples in the help."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from cimis.cli.long_options import LongOption, keep_typos

__all__ = ["Command", "declare", "gathered", "help_option", "option"]

F = TypeVar("F", bound=Callable[..., Any])


def help_option() -> LongOption:
    """Return ``-h/--help`` that takes one dash as well."""

    def show(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()

    return LongOption(
        ["-h", "--help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show this message and leave.",
    )


class Command(click.Command):
    """A command with examples; ``examples`` are whole command lines that work as they stand."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        attributes["add_help_option"] = False
        super().__init__(*args, **attributes)
        self.params.append(help_option())
        self.examples = tuple(examples)

    def make_parser(self, ctx: click.Context) -> Any:
        """Return the parser of the command's arguments, which names typos as they were typed."""
        parser = super().make_parser(ctx)
        keep_typos(parser, ctx)
        return parser

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples at the end of the help."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
        super().format_epilog(ctx, formatter)


def declare(
    name: str, *, examples: Sequence[str], **attributes: Any
) -> Callable[[Callable[..., Any]], Command]:
    """Declare a command with its examples; its help is the function's docstring."""
    return click.command(name, cls=Command, examples=examples, **attributes)


def option(*declarations: str, **attributes: Any) -> Callable[[F], F]:
    """Declare an option that takes one dash as well as two; see :class:`LongOption`."""
    return click.option(*declarations, cls=LongOption, **attributes)


def gathered(name: str, *names: str, into: Callable[..., Any]) -> Callable[[F], F]:
    """Pass options as one argument: what ``into`` makes of them, in this order."""

    def wrap(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, **named: Any) -> Any:
            parts = [named.pop(one) for one in names]
            return function(*args, **named, **{name: into(*parts)})

        made: Any = run
        return made  # type: ignore[no-any-return]

    return wrap

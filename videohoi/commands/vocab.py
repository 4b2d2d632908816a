"""``videohoi vocab``: the words. The work is in ``commands/words.py``, imported when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

vocab_app = typer.Typer(help="The words: verbs, objects, which go together, splits, prompts.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(metavar="VOCABULARY", help="`hico-det`, `vcoco`, `vidhoi`, `coco` or a YAML word list.")
]
Words = list[str] | None


@vocab_app.command("list")
def list_all(
    name: Annotated[
        str | None, typer.Argument(metavar="[VOCABULARY]", help="Show its words. Default: all vocabularies.")
    ] = None,
) -> None:
    """List the vocabularies, or the words of one.

    For example:

        videohoi vocab list

        videohoi vocab list my-words.yaml
    """
    from videohoi.commands.words import list_vocabularies, list_words

    list_vocabularies() if name is None else list_words(name)


@vocab_app.command()
def search(word: Annotated[str, typer.Argument(metavar="WORD")], name: Name = "hico-det") -> None:
    """Find verbs and objects by a part, a synonym or a misspelling.

    For example:

        videohoi vocab search sofa

        videohoi vocab search ball vidhoi
    """
    from videohoi.commands.words import search_words

    search_words(word, name)


@vocab_app.command()
def splits() -> None:
    """List the zero-shot splits of HICO-DET: how many classes training may not see, and by whom."""
    from videohoi.commands.words import list_splits

    list_splits()


@vocab_app.command("prompts")
def show(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="`eoid`, `gen-vlkt`, `ki2hoi` or `lain`.")],
    name: Name = "hico-det",
) -> None:
    """Print the sentences a method gives its text encoder, one a line, in the order of its classifier's rows."""
    from videohoi.commands.words import show_prompts

    show_prompts(method, name)


@vocab_app.command()
def edit(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The word list to change or to start.")],
    start: Annotated[
        str | None, typer.Option("--from", metavar="VOCABULARY", help="Start a new file with these words.")
    ] = None,
    add_object: Annotated[Words, typer.Option(metavar="WORD", help="A new object. Repeatable, as all below.")] = None,
    add_verb: Annotated[Words, typer.Option(metavar="WORD", help="A new verb.")] = None,
    add: Annotated[Words, typer.Option(metavar="'VERB OBJECT'", help="Let them go together.")] = None,
    remove: Annotated[Words, typer.Option(metavar="'VERB OBJECT'", help="Part them.")] = None,
    remove_object: Annotated[Words, typer.Option(metavar="WORD", help="An object and all that hangs on it.")] = None,
    remove_verb: Annotated[Words, typer.Option(metavar="WORD", help="A verb and all that hangs on it.")] = None,
    object_synonym: Annotated[Words, typer.Option(metavar="WORD=NAME", help="Another word for an object.")] = None,
    verb_synonym: Annotated[Words, typer.Option(metavar="WORD=NAME", help="Another word for a verb.")] = None,
) -> None:
    """Change a YAML word list, or start one. Each change raises its version number, which events carry.

    Comments of the file are not carried over; the old file stays beside it as `FILE.yaml.bak`.

    For example:

        videohoi vocab edit kitchen.yaml --from hico-det

        videohoi vocab edit kitchen.yaml --add-object kettle --add "hold kettle" --object-synonym pot=kettle
    """
    from videohoi.commands.words import EditRequest, edit_words

    given = (add_object, add_verb, add, remove, remove_object, remove_verb, object_synonym, verb_synonym)
    edit_words(EditRequest(file, start, *(tuple(words or ()) for words in given)))

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
    ids: Annotated[
        bool, typer.Option("--ids", help="Show the id of each object in COCO's and HICO-DET's orders instead.")
    ] = False,
) -> None:
    """List the vocabularies, or the words of one.

    For example:

        videohoi vocab list

        videohoi vocab list my-words.yaml

        videohoi vocab list hico-det --ids
    """
    from videohoi.commands.words import list_vocabularies, list_words, show_ids

    if ids:
        show_ids(name or "hico-det")
    elif name is None:
        list_vocabularies()
    else:
        list_words(name)


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
def splits(
    name: Annotated[
        str | None, typer.Argument(metavar="[SPLIT]", help="List the classes of this one. Default: all splits.")
    ] = None,
) -> None:
    """List the zero-shot splits of HICO-DET, or the classes that training may not see under one.

    For example:

        videohoi vocab splits

        videohoi vocab splits uo
    """
    from videohoi.commands.words import list_splits, show_split

    list_splits() if name is None else show_split(name)


@vocab_app.command("prompts")
def show(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="`eoid`, `gen-vlkt`, `ki2hoi` or `lain`.")],
    name: Name = "hico-det",
    objects: Annotated[bool, typer.Option("--objects", help="The sentences of the object classes.")] = False,
) -> None:
    """Print the sentences a method gives its text encoder, one a line, in the order of its classifier's rows.

    For example:

        videohoi vocab prompts gen-vlkt

        videohoi vocab prompts lain my-words.yaml
    """
    from videohoi.commands.words import show_object_prompts, show_prompts

    (show_object_prompts if objects else show_prompts)(method, name)


@vocab_app.command("embed")
def embed_prompts(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="Whose sentences, as for `prompts`.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.npz", help="Where the text bank goes.")],
    name: Name = "hico-det",
    architecture: Annotated[str, typer.Option(metavar="NAME", help="A model of open_clip.")] = "ViT-B-16",
    weights: Annotated[str, typer.Option(metavar="TAG|FILE", help="Its weights: a tag or a file.")] = "openai",
) -> None:
    """Compute the text embeddings of a method's sentences once; the file is read without open_clip.

    For example:

        videohoi vocab embed lain --weights ViT-B-16.pt --architecture ViT-B-16-quickgelu -o lain.npz
    """
    from videohoi.commands.words import embed

    embed(method, name, architecture, weights, output)


@vocab_app.command()
def edit(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The word list to change or to start.")],
    start: Annotated[
        str | None, typer.Option("--from", metavar="VOCABULARY", help="Start a new file with these words.")
    ] = None,
    add_object: Annotated[Words, typer.Option(metavar="WORD", help="A new object. Repeatable, as all below.")] = None,
    add_verb: Annotated[Words, typer.Option(metavar="WORD", help="A new verb.")] = None,
    add: Annotated[Words, typer.Option(metavar="'VERB OBJECT'", help="Allow this pair.")] = None,
    remove: Annotated[Words, typer.Option(metavar="'VERB OBJECT'", help="Disallow this pair.")] = None,
    remove_object: Annotated[Words, typer.Option(metavar="WORD", help="An object, its pairs and its synonyms.")] = None,
    remove_verb: Annotated[Words, typer.Option(metavar="WORD", help="A verb, its pairs and its synonyms.")] = None,
    object_synonym: Annotated[Words, typer.Option(metavar="WORD=NAME", help="Another word for an object.")] = None,
    verb_synonym: Annotated[Words, typer.Option(metavar="WORD=NAME", help="Another word for a verb.")] = None,
) -> None:
    """Change a YAML word list, or start one. Each change raises its version number, which events carry.

    Comments of the file are lost; the old file is kept as `FILE.yaml.bak`.

    For example:

        videohoi vocab edit kitchen.yaml --from hico-det

        videohoi vocab edit kitchen.yaml --add-object kettle --add "hold kettle" --object-synonym pot=kettle
    """
    from videohoi.commands.words import EditRequest, edit_words

    given = (add_object, add_verb, add, remove, remove_object, remove_verb, object_synonym, verb_synonym)
    edit_words(EditRequest(file, start, *(tuple(words or ()) for words in given)))

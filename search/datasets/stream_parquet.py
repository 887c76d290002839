"""Reads Parquet of any length some rows at a time, skipping rows that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from search.datasets.beside import Column
from search.datasets.content import TEXT
from search.datasets.hints import find_column, listing
from search.datasets.source import Source
from search.datasets.stream import KEY, ROWS, Stream
from search.datasets.stream_content import FILES
from search.datasets.streamed_rows import Refuse, Rows, find_beside, with_columns
from search.datasets.text_columns import joined_text
from search.errors import InputError


@contextmanager
def stream_parquet(
    source: Source, texts: Sequence[str], refuse: Refuse, columns: Sequence[Column] = (), content: str = TEXT.name
) -> Iterator[Stream]:
    """Reads Parquet.

    Args:
        source: The file.
        texts: Names of the columns of texts, of a string type.
        refuse: Called with rows without a text, or with what is not of a column's kind.
        columns: The columns beside the texts.
        content: What the rows are; the column of other rows than texts may hold them as `read_parquet` says.

    Yields:
        The table; records are Arrow record batches.

    Raises:
        InputError: The file is not Parquet, lacks the column, or it is of another type.
    """
    # Arrow takes its time to load, and the other formats do without.
    import pyarrow as pa

    from search.datasets.parquet import encoded, is_encoded, is_string, joined_words, open_parquet, read_batches

    with open_parquet(source) as file:
        schema = file.schema_arrow
        positions = [find_column(schema.names, name, KEY, source.name) for name in texts]
        places = find_beside(schema.names, columns, source.name)
        holds_rows = content != TEXT.name and is_encoded(schema.types[positions[0]])
        kinds = [] if holds_rows else [schema.types[position] for position in positions]
        for name, kind in zip(texts, kinds, strict=not holds_rows):
            empty = joined_words(pa.chunked_array([], kind)).type
            if not is_string(empty) and not pa.types.is_null(empty):
                raise InputError(f"{source.name}: column {name!r} ({KEY}) holds {kind}, expected texts")

        def batches() -> Iterator[Rows]:
            before = 0
            for batch in read_batches(file, source, FILES if holds_rows else ROWS):
                names = None
                if holds_rows:
                    found = encoded(batch.column(positions[0]))[0].tolist()
                    names = [f"Row {before + row + 1:,} of {source.name}" for row in range(len(found))]
                else:
                    parts = [joined_words(batch.column(position)).to_pylist() for position in positions]
                    found = [(joined_text(row) or "").strip() for row in zip(*parts, strict=True)]
                kept = [row for row, text in enumerate(found) if text]
                for row in range(len(found)) if len(kept) < len(found) else ():
                    if not found[row]:
                        refuse(InputError(f"Row {before + row + 1:,} of {source.name} has no text in {listing(texts)}"))
                if kept:
                    some = None if names is None else [names[row] for row in kept]
                    rows = Rows([found[row] for row in kept], batch.take(pa.array(kept)), names=some)
                    table = {name: rows.records.column(place).to_pylist() for name, place in places.items()}
                    numbers = [before + row + 1 for row in kept]
                    yield from with_columns(rows, columns, table, numbers, source.name, refuse)
                before += len(found)

        yield Stream(schema.names, batches(), schema)

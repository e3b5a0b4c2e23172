"""Files are read in bounded batches, a broken line costs itself alone."""

import subprocess
import sys

import pytest

from api.imports.reading import ParquetTable, digest_of, open_table
from domain.errors import CreditError, Malformed


def opened(path, text, encoding="utf-8-sig", delimiter=",", written="utf-8"):
    path.write_bytes(text.encode(written))
    return open_table(path, encoding=encoding, delimiter=delimiter)


def lines(table, columns, start=0, size=2):
    return [line for batch, _ in table.batches(columns, start, size) for line in batch]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "book.csv"


def test_only_the_columns_asked_for_are_read_in_the_order_asked(file):
    table = opened(file, "a,b,c\n1,2,3\n4,5,6\n")
    assert table.columns == ("a", "b", "c")
    assert lines(table, ["c", "a"]) == [["3", "1"], ["6", "4"]]


def test_batches_are_bounded_and_go_on_from_any_row(file):
    table = opened(file, "a\n" + "".join(f"{number}\n" for number in range(10)))
    batches = list(table.batches(["a"], 3, 4))
    assert [len(batch) for batch, _ in batches] == [4, 3]
    assert batches[0][0][0] == ["3"]
    assert batches[-1][1] == 1.0


def test_a_ragged_line_is_one_rejected_row_and_blank_lines_are_none(file):
    table = opened(file, 'a,b\n1,2\n\n3\n4,5,6\n"7","8,8"\n\n')
    found = lines(table, ["a", "b"])
    assert [isinstance(line, CreditError) for line in found] == [False, True, True, False]
    assert found[-1] == ["7", "8,8"]
    assert "3 cells" in found[2].message


def test_an_oversized_cell_is_one_rejected_row(file):
    table = opened(file, "a,b\n" + "x" * 200_000 + ",1\n2,3\n")
    found = lines(table, ["a", "b"])
    assert isinstance(found[0], CreditError)
    assert found[-1] == ["2", "3"]


def test_other_encodings_and_delimiters_are_read_where_the_map_names_them(file):
    table = opened(file, "客户;状态\n甲;作废\n", encoding="gb18030", delimiter=";", written="gb18030")
    assert lines(table, ["状态", "客户"]) == [["作废", "甲"]]


def test_bytes_that_are_no_text_of_the_encoding_stay_in_their_row(file):
    file.write_bytes(b"a\nok\n\xff\xfe\nfine\n")
    found = lines(open_table(file, encoding="utf-8-sig", delimiter=","), ["a"])
    assert [line[0].isprintable() for line in found] == [True, False, True]


def test_a_byte_order_mark_is_no_part_of_a_name(file):
    assert opened(file, "a,b\n1,2\n", written="utf-8-sig").columns == ("a", "b")


@pytest.mark.parametrize("text", ["", "\n", ",,\n1,2,3\n", "a,b,a\n1,2,3\n"])
def test_a_header_names_each_column_once(file, text):
    with pytest.raises(Malformed):
        opened(file, text)


def test_a_missing_file_and_broken_parquet_are_refused(tmp_path):
    with pytest.raises(Malformed):
        open_table(tmp_path / "none.csv", encoding="utf-8", delimiter=",")
    with pytest.raises(Malformed):
        digest_of(tmp_path / "none.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(Malformed, match="Parquet"):
        open_table(tmp_path / "broken.parquet", encoding="utf-8", delimiter=",")


def test_parquet_is_known_by_its_bytes_and_read_typed(tmp_path):
    import polars as pl

    path = tmp_path / "book.data"
    pl.DataFrame({"n": [1, 2, 3], "x": [0.5, None, 2.25], "t": ["a", "b", "c"]}).write_parquet(path)
    table = open_table(path, encoding="utf-8", delimiter=",")
    assert isinstance(table, ParquetTable)
    assert lines(table, ["t", "x"], start=1) == [("b", None), ("c", 2.25)]


def test_polars_is_loaded_by_parquet_alone(file):
    file.write_text("a\n1\n", encoding="utf-8")
    script = (
        "import sys, pathlib, api.imports.running, api.imports.reading as reading;"
        f"list(reading.open_table(pathlib.Path({str(file)!r}), encoding='utf-8', delimiter=',').batches(['a'], 0, 9));"
        "sys.exit('polars' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=sys.path[0] or ".").returncode == 0

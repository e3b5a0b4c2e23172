"""The log is a help and never a condition: where it cannot be written the product goes on."""

import sys

import pytest
import structlog

from api.log import set_log
from api.served import create


class Broken:
    """Standard error whose reader is gone, or whose disk is full."""

    def write(self, _text):
        """Fails as a pipe does."""
        raise BrokenPipeError

    def flush(self):
        """Fails as a full disk does."""
        raise OSError(28, "No space left on device")


@pytest.fixture
def _restored():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("kind", ["text", "json"])
def test_a_line_that_cannot_be_written_stops_nothing(monkeypatch, kind):
    set_log(kind)
    monkeypatch.setattr(sys, "stderr", Broken())
    structlog.get_logger("credence.test").error("Something happened.", request="rq-1")


@pytest.mark.usefixtures("_restored")
def test_a_line_is_written_where_it_can_be(capsys):
    set_log("json")
    structlog.get_logger("credence.test").error("Something happened.", request="rq-1")
    assert '"request": "rq-1"' in capsys.readouterr().err


@pytest.mark.usefixtures("_restored")
def test_each_of_several_processes_logs_as_it_is_set(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CREDENCE_LOG", "json")
    set_log("off")
    create()
    structlog.get_logger("credence.test").error("Something happened.", request="rq-1")
    assert '"request": "rq-1"' in capsys.readouterr().err

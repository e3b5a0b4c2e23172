from __future__ import annotations

from pathlib import Path

import pytest

from api.settings import PREFIX, load
from domain.errors import Malformed
from vault.providers import chosen

SECRET = "hunter2"


def refused(environment, file=None):
    with pytest.raises(Malformed) as caught:
        load(environment, file)
    assert SECRET not in f"{caught.value.message} {caught.value.advice} {caught.value.__cause__}"
    return caught.value


def test_everything_lies_in_the_data_directory_unless_it_is_set_apart(tmp_path):
    settings = load({f"{PREFIX}DATA_DIR": str(tmp_path), f"{PREFIX}ISSUER_KEY": "elsewhere.json"})
    assert settings.database_url == f"sqlite:///{tmp_path}/credence.db"
    assert settings.keys == f"file:{tmp_path}/keys.json"
    assert settings.issuer_key == Path("elsewhere.json")


def test_a_data_directory_with_any_name_holds_the_key_file(tmp_path):
    folder = tmp_path / "50% off? 数据"
    keys = load({f"{PREFIX}DATA_DIR": str(folder)}).keys
    assert chosen.place(keys).path == folder / "keys.json"


def test_a_variable_wins_over_the_file_and_a_directory_that_is_named_over_both(tmp_path):
    file = tmp_path / "credence.toml"
    file.write_text('data_dir = "a"\nlog = "json"\n', encoding="utf-8")
    assert load({}, file).data_dir == Path("a")
    assert load({f"{PREFIX}DATA_DIR": "b"}, file).data_dir == Path("b")
    settings = load({f"{PREFIX}KEYS": "file:other.json"}, file, data_dir=tmp_path)
    assert (settings.data_dir, settings.keys, settings.log) == (tmp_path, f"file:{tmp_path}/keys.json", "json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATA_DIR", " "),
        ("DATABASE_URL", ""),
        ("KEYS", f"gpg:{SECRET}"),
        ("KEYS", SECRET),
        ("KEYS", "file:"),
        ("ISSUER_KEY", ""),
        ("LOCAL_ISSUER", SECRET),
        ("LOCAL_ISSUER", "off"),
        ("ISSUERS", SECRET),
        ("ISSUERS", f'[{{"issuer": "{SECRET}"}}]'),
        ("ISSUERS", f'[{{"issuer": "a", "audience": "b", "jwks": {{}}, "colour": "{SECRET}"}}]'),
        ("ISSUERS", f'[{{"issuer": "a", "audience": "b", "jwks_file": "{SECRET}"}}]'),
        ("LOG", SECRET),
        ("COLOUR", SECRET),
    ],
)
def test_a_value_that_cannot_be_used_stops_the_start_and_is_named_but_never_repeated(name, value):
    error = refused({PREFIX + name: value})
    assert error.path == (("issuers",) if value == "off" else (name.lower(),))
    assert error.advice


def test_a_setting_is_named_as_it_was_written(tmp_path):
    assert f"{PREFIX}COLOUR" in refused({f"{PREFIX}COLOUR": "red"}).message
    file = tmp_path / "credence.toml"
    file.write_text("log = 3\n", encoding="utf-8")
    assert f"log in {file}" in refused({}, file).message
    file.write_text("log = [", encoding="utf-8")
    assert "TOML" in refused({}, file).advice
    assert refused({}, tmp_path / "none.toml").path


def test_settings_never_show_the_password_of_the_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = load({"CREDENCE_DATABASE_URL": "postgresql://credence:s3cret@db.example/credence"})
    assert "s3cret" not in repr(found)
    assert "s3cret" in found.database_url

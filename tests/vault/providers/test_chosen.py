import pytest

from domain.errors import Malformed
from vault.providers import chosen

SECRET = "hunter2"


@pytest.mark.parametrize("written", ["", SECRET, f"gpg:{SECRET}", "file:", "file: ", f"FILE:{SECRET}"])
def test_a_form_that_is_not_known_is_refused_without_being_repeated(written):
    with pytest.raises(Malformed) as caught:
        chosen.place(written)
    assert caught.value.path == ("keys",)
    assert "file:" in caught.value.advice
    assert SECRET not in f"{caught.value.message} {caught.value.advice} {caught.value!r}"


def test_a_key_file_is_founded_once_with_the_folder_for_it(tmp_path):
    place = chosen.place(f"file:{tmp_path / 'new' / 'keys.json'}")
    assert place.bare()
    place.found(1)
    assert not place.bare()
    assert place.provider().health().newest() == 1
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700

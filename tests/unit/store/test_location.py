from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadValue, StoreError
from dialer.store.location import absolute_url, check_driver, dialect_of, sqlite_path, sqlite_url

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in (".", "..")
)


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_every_absolute_path_survives_its_url(names):
    path = Path("/", *names)
    assert sqlite_path(sqlite_url(path)) == path


def test_spaces_and_percent_signs_mean_themselves():
    assert sqlite_path("sqlite:////var/my data/100%20.db?x=1") == Path("/var/my data/100%20.db?x=1")


def test_a_relative_path_counts_from_the_folder_that_is_given():
    assert absolute_url("sqlite:///state/dialer.db", Path("/etc/dialer")) == "sqlite:////etc/dialer/state/dialer.db"
    assert absolute_url("sqlite:////var/dialer.db", Path("/etc/dialer")) == "sqlite:////var/dialer.db"


@pytest.mark.parametrize(
    "url", ["", "dialer.db", "sqlite://", "sqlite:///", "sqlite:////", "sqlite:///a.db", "postgresql://h/d", "sqlite:////a\0"]
)
def test_what_is_not_an_absolute_sqlite_url_is_refused_with_what_is_expected(url):
    with pytest.raises(BadValue, match="database: expected"):
        sqlite_path(url)


def test_a_sqlite_that_is_too_old_is_refused_with_both_versions():
    with pytest.raises(StoreError, match=r"has SQLite 3\.34\.1, and the dialer needs 3\.35\.0 or newer"):
        check_driver((3, 34, 1))
    check_driver((3, 35, 0))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:/ann:hunter2@h/d",
        "postgresql//ann:hunter2@h/d",
        "ann:hunter2@h/d",
        "mysql://ann:hun@hunter2@h/d",
        "postgresql://ann:hunter2@h/?x=1",
        "postgresql://h/?x=1&password=hunter2",
        "host=h password=hunter2 dbname=d",
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(url):
    with pytest.raises(BadValue, match="database: expected") as refused:
        dialect_of(url)
    assert "hunter2" not in str(refused.value)

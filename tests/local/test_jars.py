"""Only the bytes of the lock are taken, and what has come is never fetched twice."""

import hashlib
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.jars import Jar
from deploy.refusal import Refusal

CONTENT = {"first-1.jar": b"one", "second-2.jar": b"two"}
JARS = [
    Jar("org.example:first:1", hashlib.sha256(b"one").hexdigest(), 3),
    Jar("org.example:second:2", hashlib.sha256(b"two").hexdigest(), 3),
]


class Remote:
    """A Maven repository that can be out of reach, and whose bytes can be wrong."""

    def __init__(self, failures: int = 0, content: dict[str, bytes] = CONTENT) -> None:
        self.failures = failures
        self.content = content
        self.asked: list[str] = []

    def __call__(self, jar: Jar, into: Path) -> Path:
        self.asked.append(jar.name)
        if self.failures:
            self.failures -= 1
            (into / jar.name).write_bytes(b"o")
            raise ConnectionError("cut off")
        (into / jar.name).write_bytes(self.content[jar.name])
        return into / jar.name


def test_the_lock_names_kafka_and_a_digest_and_a_size_for_every_jar() -> None:
    locked = jars.locked()

    assert jars.KAFKA in {jar.coordinate for jar in locked}
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in locked)
    assert len({jar.name for jar in locked}) == len(locked)


def test_a_classifier_is_part_of_the_files_name() -> None:
    assert Jar("org.example:first:1:linux", "", 0).name == "first-1-linux.jar"


def test_a_garbled_lock_is_named_with_its_line(tmp_path: Path) -> None:
    lock = tmp_path / "jars.lock"
    lock.write_text(f"{JARS[0].coordinate} {JARS[0].sha256} 3\norg.example:second:2 abc\n")

    with pytest.raises(Refusal, match=r"jars\.lock .*line 2"):
        jars.locked(lock)


def test_installed_jars_make_a_class_path_in_the_order_of_the_lock(tmp_path: Path) -> None:
    jars.install(JARS, tmp_path, Remote())

    assert jars.classpath(JARS, tmp_path) == f"{tmp_path}/first-1.jar:{tmp_path}/second-2.jar"
    assert not (tmp_path / "partial").exists()


def test_a_changed_byte_is_refused_with_the_jars_name(tmp_path: Path) -> None:
    jars.install(JARS, tmp_path, Remote())

    (tmp_path / "second-2.jar").write_bytes(b"twO")

    with pytest.raises(Refusal, match=r"second-2\.jar .* differs"):
        jars.classpath(JARS, tmp_path)
    with pytest.raises(Refusal, match=r"second-2\.jar .* differs"):
        jars.install(JARS, tmp_path, Remote())


def test_a_missing_jar_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"first-1\.jar is missing"):
        jars.classpath(JARS, tmp_path)


def test_a_cut_download_is_taken_again(tmp_path: Path) -> None:
    remote = Remote(failures=3)

    jars.install(JARS, tmp_path, remote, pauses=(0, 0, 0, 0))

    assert (tmp_path / "first-1.jar").read_bytes() == b"one"
    assert len(remote.asked) == 5


def test_what_has_come_is_kept_when_the_rest_does_not(tmp_path: Path) -> None:
    with pytest.raises(Refusal):
        jars.install(JARS, tmp_path, Remote(content={**CONTENT, "second-2.jar": b"other"}))
    remote = Remote()

    jars.install(JARS, tmp_path, remote)

    assert remote.asked == ["second-2.jar"]


def test_a_network_that_stays_away_ends_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"jar could not be downloaded in 3 tries \(cut off\)"):
        jars.install(JARS, tmp_path, Remote(failures=99), pauses=(0, 0))


def test_downloaded_bytes_that_differ_are_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"first-1\.jar .* differ"):
        jars.install(JARS, tmp_path, Remote(content={**CONTENT, "first-1.jar": b"0ne"}))

    assert not (tmp_path / "first-1.jar").exists()


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("FENGSUI_CACHE", raising=False)
    by_convention = jars.cache()

    monkeypatch.setenv("FENGSUI_CACHE", str(tmp_path / "own"))

    assert by_convention == tmp_path / "xdg" / "fengsui" / "kafka"
    assert jars.cache() == tmp_path / "own" / "kafka"

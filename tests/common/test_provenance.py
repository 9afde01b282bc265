"""The commit of a result is that of this package's repository, or none."""

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError

import pytest

import fitgym
from fitgym.common import provenance
from fitgym.common.provenance import commit, versions

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of somebody's, in which a copy of the package lies but is not tracked."""
    package = tmp_path / "venv" / "fitgym"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (tmp_path / "notes.txt").touch()
    monkeypatch.setattr(fitgym, "__file__", str(package / "__init__.py"))

    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", "-C", str(tmp_path), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    git("add", "notes.txt")
    git("commit", "-m", "Notes")
    return git


def test_an_installation_inside_another_repository_has_none(repository):
    assert commit() is None


def test_the_package_in_its_own_repository_has_the_commit_and_whether_files_differ(repository):
    repository("add", "venv")
    repository("commit", "-m", "Package")
    assert commit() == repository("rev-parse", "HEAD")
    with open(fitgym.__file__, "w") as file:
        file.write("changed = True\n")
    assert commit() == repository("rev-parse", "HEAD") + "-dirty"


def test_without_git_there_is_none(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit() is None


def test_the_versions_leave_out_what_is_not_installed(monkeypatch):
    def version(package):
        if package == "numba":
            raise PackageNotFoundError(package)
        return "1"

    monkeypatch.setattr(provenance, "version", version)
    assert versions()["numpy"] == "1"
    assert "numba" not in versions()

"""Archives: opened by their content, within limits, and nothing of them becomes a path."""

import bz2
import gzip
import io
import json
import lzma
import os
import stat
import struct
import subprocess
import sys
import tarfile
import threading
import time
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import py7zr
import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from app import sample
from app.errors import Refusal
from app.sources import archives
from app.sources.archive_parts import Limits
from app.sources.archives import Workspace, brought
from app.sources.formats import open_source, recognise
from app.sources.records import BadInput

LINE = '{"conversations": ["Why?", "Because."]}\n'
LIMITS = Limits(parts=10_000, size=4_000_000_000, ratio=250, seconds=60)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "unpacked", LIMITS, days=1)


def zipped(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def seven_zipped(path: Path, members: dict[str, str | bytes], **options) -> Path:
    with py7zr.SevenZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(content, name)
    return path


def test_parts_of_one_name_in_several_archives_go_by_the_archives_too(tmp_path, workspace):
    folder = tmp_path / "sites"
    folder.mkdir()
    posts = '<posts><row Id="1" PostTypeId="1"/></posts>'
    zipped(folder / "a.zip", {"Posts.xml": posts, "Users.xml": "<users></users>"})
    seven_zipped(folder / "b.7z", {"Posts.xml": posts})
    zipped(folder / "c.zip", {"rows.jsonl": LINE})
    (folder / "rows.txt").write_text(LINE)
    found = brought(folder, workspace)
    assert [file.name for file in found.files] == [
        "a.zip/Posts.xml",
        "a.zip/Users.xml",
        "b.7z/Posts.xml",
        "rows.jsonl",
        "rows.txt",
    ]
    with pytest.raises(BadInput, match=r"There are 2 dumps in sites \(a\.zip/Posts\.xml, b\.7z/Posts\.xml\)"):
        recognise(found)


def texts(found) -> dict[str, str]:
    return {file.name: file.path.read_text() for file in found.files}


def left_in(workspace) -> list[Path]:
    """Files of parts, and halves; locks and labels aside."""
    return [path for path in workspace.folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


PACKERS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: zstandard.compress(data[:20]) + zstandard.compress(data[20:]),
}


@pytest.mark.parametrize("ending", PACKERS)
def test_a_packed_file_is_one_part_named_without_its_ending(tmp_path, workspace, ending):
    path = tmp_path / "upload"
    path.write_bytes(PACKERS[ending](LINE.encode() * 3))
    found = brought(path, workspace, name=f"pairs.jsonl.{ending}")
    assert texts(found) == {"pairs.jsonl": LINE * 3}
    assert recognise(found) == "lima"


@pytest.mark.parametrize("pack", [zipped, seven_zipped])
def test_parts_are_numbered_files_under_their_labels(tmp_path, workspace, pack):
    path = pack(tmp_path / "no-ending", {"a/one.jsonl": LINE, "two.jsonl": LINE * 2, "empty": b""})
    found = brought(path, workspace)
    assert texts(found) == {"a/one.jsonl": LINE, "two.jsonl": LINE * 2, "empty": ""}
    assert [file.path.name for file in found.files] == ["0", "1", "2"]
    assert len(list(open_source(found).records())) == 3


@pytest.mark.parametrize("pack", [zipped, seven_zipped])
def test_a_dump_in_an_archive_reads_as_the_dump(tmp_path, workspace, pack):
    folder = sample.dump_folder()
    names = ("Posts.xml", "Users.xml")
    path = pack(tmp_path / "dump", {f"site/{name}": (folder / name).read_bytes() for name in names})
    reader = open_source(brought(path, workspace), site=sample.SITE)
    plain = open_source(folder, site=sample.SITE)
    assert list(reader.records()) == list(plain.records())


def test_packed_files_of_a_folder_are_opened_and_the_others_stay_where_they_are(tmp_path, workspace):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(LINE.encode()))
    (folder / "b.jsonl").write_text(LINE * 2)
    found = brought(folder, workspace)
    assert texts(found) == {"a.jsonl": LINE, "b.jsonl": LINE * 2}
    assert found.files[1].path == folder / "b.jsonl"


def test_plain_files_touch_no_workspace(tmp_path, workspace):
    (tmp_path / "pairs.jsonl").write_text(LINE)
    assert brought(tmp_path / "pairs.jsonl", workspace).files[0].path == tmp_path / "pairs.jsonl"
    assert not workspace.folder.exists()


def test_an_archive_is_unpacked_once_and_again_when_it_changed(tmp_path, workspace, monkeypatch):
    path = zipped(tmp_path / "a.zip", {"one": LINE})
    first = brought(path, workspace)
    with monkeypatch.context() as patch:
        patch.setattr(archives, "opened", None)
        assert brought(path, workspace).files == first.files
        assert brought(path, workspace, sample_bytes=10).files == first.files
    zipped(path, {"one": LINE * 2})
    assert texts(brought(path, workspace)) == {"one": LINE * 2}


@pytest.mark.parametrize("pack", [zipped, seven_zipped])
def test_of_a_sample_only_beginnings_are_written_and_the_sizes_are_told(tmp_path, workspace, monkeypatch, pack):
    monkeypatch.setattr(archives, "MARGIN", 0)
    noise = "".join(f'{{"conversations": ["{os.urandom(20).hex()}", "b"]}}\n' for _ in range(40_000))
    path = pack(tmp_path / "big", {"first": noise, "second": LINE})
    found = brought(path, workspace, sample_bytes=1_000_000)
    first, second = found.files
    assert first.path.stat().st_size == len(noise)
    assert first.path.stat().st_blocks * 512 < len(noise) / 1.5
    assert first.path.read_bytes()[:1_000_000] == noise[:1_000_000].encode()
    assert second.path.read_text() == LINE


def test_the_size_of_a_stream_is_estimated_from_what_was_read(tmp_path, workspace, monkeypatch):
    monkeypatch.setattr(archives, "MARGIN", 0)
    noise = os.urandom(4_000_000).hex().encode()
    (tmp_path / "noise.gz").write_bytes(gzip.compress(noise, 1))
    found = brought(tmp_path / "noise.gz", workspace, sample_bytes=1_000_000)
    assert found.files[0].path.stat().st_size == pytest.approx(len(noise), rel=0.2)


def test_progress_is_told_and_a_stop_leaves_nothing(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": "x" * 3_000_000})
    told = []
    brought(path, workspace, tell=lambda *step: told.append(step))
    assert told[-1] == ("unpacking", 3_000_000, 3_000_000)
    zipped(path, {"one": "x" * 4_000_000})
    before = left_in(workspace)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        brought(path, workspace, tell=stop)
    assert left_in(workspace) == before


def test_two_at_once_unpack_it_once(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": "x" * 2_000_000})
    written = []
    threads = [
        threading.Thread(target=lambda: brought(path, workspace, tell=lambda *_: written.append(1))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 2


def test_the_sweep_takes_halves_of_the_dead_and_what_nobody_opens(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": LINE})
    found = brought(path, workspace)
    home = found.files[0].path.parent.parent
    half = home / "first-9.part"
    half.mkdir()
    (half / "0").write_text("half")
    archives.sweep(workspace)
    assert not half.exists()
    assert texts(found) == {"one": LINE}
    long_ago = time.time() - 2 * 86_400
    os.utime(home, (long_ago, long_ago))
    archives.sweep(workspace)
    assert not home.exists()


def test_the_sweep_takes_beginnings_of_what_is_there_whole(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": LINE})
    first = brought(path, workspace, sample_bytes=1).files[0].path.parent
    brought(path, workspace)
    archives.sweep(workspace)
    assert first.is_dir()
    os.utime(first, (0, 0))
    archives.sweep(workspace)
    assert not first.exists()
    assert texts(brought(path, workspace)) == {"one": LINE}


def test_a_killed_process_leaves_a_half_that_the_next_sweep_takes(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": "x" * 3_000_000})
    words = (
        "import pathlib, time; from app.sources.archives import Workspace, brought; "
        "from app.sources.archive_parts import Limits; "
        f"brought(pathlib.Path({str(path)!r}), Workspace(pathlib.Path({str(workspace.folder)!r}), "
        "Limits(9, 10**9, 10**6, 60), 1), tell=lambda *_: (print('half', flush=True), time.sleep(60)))"
    )
    with subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "half\n"
        archives.sweep(workspace)
        assert len(list(workspace.folder.glob("*/*.part"))) == 1
        process.kill()
    archives.sweep(workspace)
    assert left_in(workspace) == []
    assert len(brought(path, workspace).files) == 1


def test_the_sweep_leaves_alone_what_is_being_unpacked(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": LINE})
    brought(path, workspace, tell=lambda *_: archives.sweep(workspace))
    assert texts(brought(path, workspace)) == {"one": LINE}


def test_a_label_shows_what_it_says(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"ok\u202e\x07.jsonl": LINE})
    assert list(texts(brought(path, workspace))) == ["ok.jsonl"]


# A31: what an archive may try.


def refused(path: Path, workspace: Workspace, words: str) -> None:
    """Refused in those words; nothing was left in the workspace, and nothing written outside of it."""
    around = {one for one in path.parent.rglob("*") if workspace.folder not in one.parents}
    with pytest.raises(BadInput, match=words) as raised:
        brought(path, workspace)
    assert "Nothing was imported" in raised.value.message
    assert left_in(workspace) == []
    assert {one for one in path.parent.rglob("*") if workspace.folder not in one.parents} - around <= {workspace.folder}


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a/../../x", "..\\..\\x", "C:\\x", "C:x", "a\x00b"])
def test_a31_a_name_that_points_outside_is_refused(tmp_path, workspace, name):
    placeholder = "Q" * len(name)
    path = zipped(tmp_path / "a.zip", {"good": LINE, placeholder: LINE})
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), name.encode()))
    refused(path, workspace, "points outside")


@pytest.mark.parametrize("name", ["../../xy", "/etc/xyz"])
def test_a31_so_it_is_in_a_7z(tmp_path, workspace, name):
    placeholder = "Q" * len(name)
    path = tmp_path / "a.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(LINE, placeholder)
    rename_in_header(path, placeholder, name)
    refused(path, workspace, "points outside")


def rename_in_header(path: Path, old: str, new: str) -> None:
    """Write another name into a 7z and mend its sums."""
    data = path.read_bytes().replace(old.encode("utf-16-le"), new.encode("utf-16-le"))
    offset, size = struct.unpack_from("<QQ", data, 12)
    header = data[32 + offset : 32 + offset + size]
    start = struct.pack("<QQL", offset, size, zipfile.crc32(header))
    path.write_bytes(data[:8] + struct.pack("<L", zipfile.crc32(start)) + start + data[32:])


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_a31_links_and_devices_are_refused(tmp_path, workspace, mode):
    info = zipfile.ZipInfo("link")
    info.external_attr = (mode | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good", LINE)
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path / "a.zip", workspace, "a link or a device")


def test_a31_a_link_in_a_7z_is_refused(tmp_path, workspace):
    (tmp_path / "link").symlink_to("/etc/passwd")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as archive:
        archive.write(tmp_path / "link", "link")
    refused(tmp_path / "a.7z", workspace, "a link or a device")


def test_a31_zeros_beyond_the_ratio_are_refused_before_they_are_written(tmp_path, workspace):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as out:
        for _ in range(120):
            out.write(bytes(1_000_000))
    refused(tmp_path / "a.zip", workspace, "more than 250 times.*HANDPICKED_MAX_UNPACKED_RATIO")


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, bz2.compress, lzma.compress])
def test_a31_zeros_in_a_stream_end_at_the_limit(tmp_path, workspace, pack):
    (tmp_path / "zeros").write_bytes(pack(bytes(120_000_000)))
    refused(tmp_path / "zeros", workspace, "more than 250 times")


def test_a31_ten_gigabytes_by_a_lying_directory_are_refused_at_once(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": LINE})
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 4_100_000_000)
    path.write_bytes(data)
    refused(path, workspace, "more than 4,000 MB.*HANDPICKED_MAX_UNPACKED_MB")


def test_a31_a_directory_that_lies_low_does_not_get_round_the_limit(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": bytes(2_000_000)})
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 10)
    path.write_bytes(data)
    small = replace(workspace, limits=replace(LIMITS, size=1000))
    refused(path, small, "broken or cut off")


def test_a31_the_limit_of_time_is_named(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": LINE})
    refused(path, replace(workspace, limits=replace(LIMITS, seconds=-1)), "HANDPICKED_MAX_UNPACK_MINUTES")


def test_a31_a_million_members_are_refused_from_the_end_of_the_file(tmp_path, workspace):
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[20] * 2, *[0] * 4, *[0] * 3, 1, *[0] * 4, 0, 0) + b"x"
    count = 1_000_000
    with (tmp_path / "a.zip").open("wb") as out:
        out.write(b"PK\x03\x04" + bytes(60))
        out.write(entry * count)
        out.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 10, 10, len(entry) * count, 64, 0))
    tracemalloc.start()
    began = time.process_time()
    refused(tmp_path / "a.zip", workspace, "more than 10,000 files")
    assert time.process_time() - began < 1
    assert tracemalloc.get_traced_memory()[1] < 50 << 20
    tracemalloc.stop()


def damaged(path: Path, at: int) -> Path:
    """The file with one byte turned over."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    return path


def test_a_damaged_archive_is_called_damaged_and_nothing_else(tmp_path, workspace):
    whole = tmp_path / "a.7z"
    with py7zr.SevenZipFile(whole, "w") as archive:
        archive.writestr(LINE, "one")
    data = whole.read_bytes()
    for at in range(6, 32):
        whole.write_bytes(data)
        if at not in {6, 7}:  # the version, which says nothing
            refused(damaged(whole, at), workspace, "broken or cut off")
    for name, content in {
        "random.7z": b"7z\xbc\xaf\x27\x1c" + bytes(range(7, 256)),
        "short.7z": b"7z\xbc\xaf\x27\x1c",
        "cut.7z": data[:-10],
        "a.gz": b"\x1f\x8b\x07" + bytes(40),
        "b.gz": b"\x1f\x8b",
    }.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, workspace, "broken or cut off")


def test_a31_too_many_members_of_a_7z(tmp_path, workspace):
    path = tmp_path / "a.7z"
    with py7zr.SevenZipFile(path, "w", filters=[{"id": py7zr.FILTER_COPY}]) as archive:
        for number in range(40):
            archive.writestr("", f"{number}")
    refused(path, replace(workspace, limits=replace(LIMITS, parts=30)), "more than 30 files")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a31_two_of_one_name_are_refused(tmp_path, workspace):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one", LINE)
        archive.writestr("one", LINE)
    refused(tmp_path / "a.zip", workspace, "two files called 'one'")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as archive:
        archive.writestr(LINE, "one")
        archive.writestr(LINE, "one")
    refused(tmp_path / "a.7z", workspace, "two files called 'one'")


def test_a31_locked_archives_are_refused(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": LINE})
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    path.write_bytes(data)
    refused(path, workspace, "locked with a password")
    seven_zipped(tmp_path / "a.7z", {"one": LINE}, password="secret")
    refused(tmp_path / "a.7z", workspace, "locked with a password")
    seven_zipped(tmp_path / "b.7z", {"one": LINE}, password="secret", header_encryption=True)
    refused(tmp_path / "b.7z", workspace, "locked with a password")


def test_a31_a_wrong_sum_is_refused(tmp_path, workspace):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one", LINE)
    path = tmp_path / "a.zip"
    path.write_bytes(path.read_bytes().replace(b"Because", b"Becau5e"))
    refused(path, workspace, "broken or cut off .*CRC")
    path = tmp_path / "a.7z"
    with py7zr.SevenZipFile(path, "w", filters=[{"id": py7zr.FILTER_COPY}]) as archive:
        archive.writestr(LINE, "one")
    path.write_bytes(path.read_bytes().replace(b"Because", b"Becau5e"))
    refused(path, workspace, "'one' in the archive is damaged")
    packed = bytearray(gzip.compress(LINE.encode()))
    packed[-6] ^= 1
    (tmp_path / "a.gz").write_bytes(packed)
    refused(tmp_path / "a.gz", workspace, "CRC")


@pytest.mark.parametrize("ending", PACKERS)
def test_a31_a_stream_that_is_cut_off_is_refused(tmp_path, workspace, ending):
    whole = PACKERS[ending](os.urandom(200_000))
    (tmp_path / "a").write_bytes(whole[:-2])
    refused(tmp_path / "a", workspace, "broken or cut off")
    (tmp_path / "b").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "b", workspace, "broken or cut off")


@pytest.mark.parametrize("pack", [zipped, seven_zipped])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.95])
def test_a31_an_archive_that_is_cut_off_is_refused(tmp_path, workspace, pack, share):
    path = pack(tmp_path / "a", {"one": os.urandom(50_000).hex(), "two": LINE})
    path.write_bytes(path.read_bytes()[: max(40, int(path.stat().st_size * share))])
    refused(path, workspace, "broken or cut off")


@pytest.mark.parametrize("ending", PACKERS)
def test_a31_an_archive_in_an_archive_is_refused(tmp_path, workspace, ending):
    inner = zipped(tmp_path / "inner", {"one": LINE}).read_bytes()
    zipped(tmp_path / "a.zip", {"inner.zip": inner})
    (tmp_path / "inner").unlink()
    refused(tmp_path / "a.zip", workspace, "an archive itself")
    seven_zipped(tmp_path / "a.7z", {"packed": PACKERS[ending](LINE.encode())})
    refused(tmp_path / "a.7z", workspace, "an archive itself")


def test_a31_a_rar_and_an_empty_zip_are_refused(tmp_path, workspace):
    (tmp_path / "a").write_bytes(b"Rar!\x1a\x07\x01\x00" + bytes(100))
    refused(tmp_path / "a", workspace, "no archive that is opened")
    refused(zipped(tmp_path / "b", {}), workspace, "holds no file")


def test_a31_a_large_member_takes_little_memory(tmp_path, workspace):
    rows = json.dumps({"conversations": [os.urandom(30).hex(), "b" * 200]}) + "\n"
    path = seven_zipped(tmp_path / "a.7z", {"one": rows * 80_000})
    tracemalloc.start()
    found = brought(path, replace(workspace, limits=replace(LIMITS, ratio=1_000_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.files[0].path.stat().st_size == len(rows) * 80_000
    assert peak < 50 << 20


def test_a_full_disk_is_said_and_nothing_is_left(tmp_path, workspace, monkeypatch):
    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    path = zipped(tmp_path / "a.zip", {"one": LINE})
    real = Path.open

    def opening(self, mode="r", *more, **options):
        return Full() if mode == "xb" else real(self, mode, *more, **options)

    monkeypatch.setattr(Path, "open", opening)
    refused(path, workspace, "no room on the server's disk")


def test_real_reddit_comments_are_read_from_their_zst(shared_data, workspace):
    found = brought(shared_data / "reddit_pushshift_comments_2005-12", workspace)
    packed = next(file for file in found.files if file.name == "RC_2005-12")
    assert packed.kind == "lines"
    assert packed.path.read_bytes().count(b"\n") == 1075


def test_spreadsheets_and_parquet_are_no_archives_and_come_whole_out_of_one(tmp_path, workspace, monkeypatch):
    monkeypatch.setattr(archives, "MARGIN", 0)
    book = openpyxl.Workbook()
    for row in [("prompt", "response"), *((f"Why {n}?", os.urandom(40).hex()) for n in range(200))]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    rows = pa.table({"prompt": [f"Why {n}?" for n in range(200)], "response": ["b" * 50] * 200})
    parquet.write_table(rows, tmp_path / "a.parquet")
    names = ("a.xlsx", "a.parquet")
    assert brought(tmp_path / "a.xlsx", workspace).files[0].path == tmp_path / "a.xlsx"
    packed = zipped(tmp_path / "a.zip", {name: (tmp_path / name).read_bytes() for name in names})
    found = brought(packed, workspace, sample_bytes=2000)
    assert [file.path.read_bytes() for file in found.files] == [(tmp_path / name).read_bytes() for name in names]
    assert len(list(open_source(found).records())) == 400


def test_a_tar_is_refused_packed_or_not(tmp_path, workspace):
    (tmp_path / "pairs.jsonl").write_text(LINE)
    for name, mode in (("a.tar", "w"), ("a.tgz", "w:gz"), ("a.txz", "w:xz")):
        with tarfile.open(tmp_path / name, mode) as archive:
            archive.add(tmp_path / "pairs.jsonl", "pairs.jsonl")
        with pytest.raises(BadInput, match=r"(?i)\btar\b"):
            open_source(brought(tmp_path / name, workspace))


def test_forgetting_removes_what_was_unpacked(tmp_path, workspace):
    path = zipped(tmp_path / "a.zip", {"one": LINE})
    brought(path, workspace)
    archives.forget(workspace, path)
    archives.forget(workspace, path)
    assert left_in(workspace) == []


def test_refusals_are_refusals(tmp_path, workspace):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + b"x" * 100)
    with pytest.raises(Refusal):
        brought(tmp_path / "a.zip", workspace)

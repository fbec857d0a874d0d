from pathlib import Path

from flagcast_cli.file_watch import Seen, look, saved, saves

A, B, C = Path("a"), Path("b"), Path("c")


def test_what_was_written_made_or_removed_is_found_and_nothing_else() -> None:
    before = {A: (1, 10), B: (1, 10), C: (1, 10)}
    assert saved(before, before) == ()
    assert saved(before, {A: (2, 10), B: (1, 10), C: (1, 10)}) == (A,)
    # Two saves within a step of the clock differ in size.
    assert saved(before, {A: (1, 11), B: (1, 10), C: (1, 10)}) == (A,)
    assert saved({A: (1, 10), C: (1, 10)}, {C: (1, 10), B: (1, 10)}) == (A, B)


def test_each_look_is_compared_with_the_one_before() -> None:
    looks: list[Seen] = [{A: (2, 1)}, {A: (2, 1)}, {A: (2, 1), B: (1, 1)}]
    waits: list[None] = []
    found = saves({A: (1, 1)}, lambda: looks[len(waits) - 1], lambda: waits.append(None))
    assert [next(found) for _ in looks] == [(A,), (), (B,)]


def test_files_of_a_folder_are_seen_with_those_below_it_and_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "title.j2").write_text("x", encoding="utf-8")
    seen = look([folder, tmp_path / "none.yaml"])
    assert [(path.name, size) for path, (_, size) in seen.items()] == [("title.j2", 1)]

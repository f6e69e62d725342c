"""One licence, however its name is written."""

import pytest

from app.text.licences import is_stated, keeps_all_rights, key_of, keys_of, licence_of, together

BY_SA = ("CC BY-SA 4.0", "CC-BY-SA-4.0", "cc-by-sa-4.0", "cc_by_sa_4.0", "CC BY SA 4.0", "  CC  BY-SA\t4.0 ",
         "Creative Commons Attribution-ShareAlike 4.0 International", "https://creativecommons.org/licenses/by-sa/4.0/",
         "Creative Commons Attribution-ShareAlike 4.0 International (CC BY-SA 4.0)",
         "http://creativecommons.org/licenses/by-sa/4.0/deed.en", "CC BY–SA 4.0")  # fmt: skip


@pytest.mark.parametrize("written", BY_SA)
def test_one_licence_has_one_id_one_name_and_one_link(written):
    found = licence_of(written)
    assert (found.id, found.name) == ("CC-BY-SA-4.0", "CC BY-SA 4.0")
    assert found.url == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert found.share_alike
    assert found.asks_for_a_name
    assert not found.non_commercial


@pytest.mark.parametrize(
    ("written", "spdx"),
    [
        ("The MIT License", "MIT"), ("mit", "MIT"), ("Apache License, Version 2.0", "Apache-2.0"),
        ("apache-2.0", "Apache-2.0"), ("CC0", "CC0-1.0"), ("CC0 1.0 Universal", "CC0-1.0"),
        ("Creative Commons Zero v1.0 Universal", "CC0-1.0"), ("GNU General Public License v3.0", "GPL-3.0-only"),
        ("GPLv3", "GPL-3.0-only"), ("gpl-3.0-or-later", "GPL-3.0-or-later"), ("ODC-By", "ODC-By-1.0"),
        ("cc-by-nc-nd-4.0", "CC-BY-NC-ND-4.0"), ("CC BY 4", "CC-BY-4.0"), ("unlicense", "Unlicense"),
        ("Open Government Licence v3.0", "OGL-UK-3.0"),
    ],
)  # fmt: skip
def test_spdx_ids(written, spdx):
    assert licence_of(written).id == spdx
    assert licence_of(spdx) == licence_of(written)


@pytest.mark.parametrize(
    "written", ["our own", "Public domain", "CC BY-SA", "CC BY 3.0 US", "MIT or worse", "a", "-", ""]
)
def test_what_is_no_known_licence_keeps_its_name_and_is_given_no_id_and_no_link(written):
    found = licence_of(written)
    assert (found.id, found.name, found.url) == ("", written, None)


def test_licences_that_differ_stay_apart():
    apart = ("CC BY-SA 4.0", "CC BY-SA 3.0", "CC BY 4.0", "CC BY-NC-SA 4.0", "CC BY-SA", "CC BY 3.0 US", "GPL-2.0",
             "GPL-2.0-or-later", "BSD-2-Clause", "BSD-3-Clause", "Ours", None)  # fmt: skip
    assert len({key_of(written) for written in apart}) == len(apart)
    assert key_of("ours") == key_of("Ours")
    assert key_of(None) == key_of("") == ""


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "  ",
        "unknown",
        "Unknown",
        "UNKNOWN LICENSE",
        "None",
        "n/a",
        "N.A.",
        "-",
        "no licence",
        "null",
        "not specified",
    ],
)
def test_what_states_no_licence_is_counted_with_what_has_none(written):
    assert not is_stated(written)
    assert not keeps_all_rights(written)
    assert key_of(written) == ""


@pytest.mark.parametrize(
    "written", ["All rights reserved", "© 2024 ACME. All Rights Reserved.", "proprietary", "Proprietary licence"]
)
def test_what_keeps_all_rights_is_known(written):
    assert is_stated(written)
    assert keeps_all_rights(written)


@pytest.mark.parametrize(
    "written", ["CC0", "The Unlicense", "Public domain", "Ours", "other", "Some rights reserved", "MIT"]
)
def test_what_states_a_licence_is_one(written):
    assert is_stated(written)
    assert not keeps_all_rights(written)


def test_several_licences_are_one_with_all_their_duties():
    both = together(["CC BY-SA 4.0", "cc-by-sa-4.0", "MIT"])
    assert both == "CC BY-SA 4.0 AND MIT"
    assert (licence_of(both).id, licence_of(both).share_alike) == ("CC-BY-SA-4.0 AND MIT", True)
    assert keys_of(both) == {"cc-by-sa-4.0", "mit"}
    assert key_of(both) == key_of("The MIT License AND CC-BY-SA-4.0") != key_of("MIT")
    assert is_stated(both)
    assert together([both, None, "n/a", "Ours"]) == "CC BY-SA 4.0 AND MIT AND Ours AND unknown"
    assert not is_stated("MIT AND unknown")
    assert key_of("MIT AND unknown") != key_of("MIT")
    assert keeps_all_rights("MIT AND All rights reserved")
    assert (together([None, "", "unknown"]), together([])) == (None, None)
    assert licence_of("trial and error").name == "trial and error"

"""Links: the first admin's, newcomers', for a new password."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, update

from app.accounts import operations, queries
from app.accounts.models import Invitation, Role, User
from app.db import now
from app.projects import queries as projects

PASSWORD = "a lighthouse keeper"


@pytest.fixture
def setup_link(database, settings):
    with database.writing() as session:
        return operations.renew_setup_link(session, settings)


def accept(client, token, **data):
    return client.post(f"/invitations/{token}", data={"name": "M.", "password": PASSWORD, **data})


def shown_link(answer):
    return answer.text.partition("/invitations/")[2].partition('"')[0]


def test_a15_the_set_up_link_makes_the_first_admin_once(browser, database, setup_link):
    client = browser()
    assert "The first person here" in client.get(f"/invitations/{setup_link}").text
    answer = accept(client, setup_link, email="m@example.org")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/people").status_code == 200
    assert browser().get(f"/invitations/{setup_link}").status_code == 409
    assert accept(browser(), setup_link, email="other@example.org").status_code == 409
    with database.reading() as session:
        assert session.scalars(select(User.email)).all() == ["m@example.org"]


def test_a15_two_browsers_at_once_make_one_admin(browser, database, setup_link):
    barrier, statuses = Barrier(2), []

    def race(number):
        client = browser()
        barrier.wait()
        statuses.append(accept(client, setup_link, email=f"m{number}@example.org").status_code)

    threads = [Thread(target=race, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 409]
    with database.reading() as session:
        assert session.scalar(select(func.count(User.id))) == 1


def test_a15_a_new_set_up_link_ends_the_older_one(browser, database, settings, setup_link):
    with database.writing() as session:
        newer = operations.renew_setup_link(session, settings)
    assert accept(browser(), setup_link, email="m@example.org").status_code == 410
    assert accept(browser(), newer, email="m@example.org").status_code == 303
    with database.writing() as session:
        assert operations.renew_setup_link(session, settings) is None


def test_a15_a_set_up_link_is_dead_once_there_is_an_admin(browser, database, setup_link):
    with database.writing() as session:
        operations.create_user(session, None, email="a@example.org", name="A.", role=Role.ADMIN, password=None)
    assert accept(browser(), setup_link, email="m@example.org").status_code == 409


@pytest.mark.parametrize(("data", "words"), [
    ({"email": "m@example.org", "password": "short"}, "at least 10 characters"),
    ({"email": "no address"}, "is not an e-mail address"),
    ({"email": "m@example.org", "name": "M\u202e."}, "invisible and direction marks"),
    ({"email": "m@example.org", "name": ""}, None),
])  # fmt: skip
def test_what_does_not_fit_is_said_and_the_typed_text_stays(browser, database, setup_link, data, words):
    answer = accept(browser(), setup_link, **data)
    if words is None:
        assert answer.status_code == 303
        return
    assert answer.status_code == 422
    assert words in answer.text.replace("needs at least", "at least")
    assert f'value="{data["email"]}"' in answer.text
    with database.reading() as session:
        assert session.scalar(select(func.count(User.id))) == 0
    assert accept(browser(), setup_link, email="m@example.org").status_code == 303


def test_a04_an_invited_person_cannot_choose_a_role(browser, database, people):
    token = shown_link(browser(people.admin).post("/invitations", data={"role": "annotator"}))
    answer = accept(browser(), token, email="n@example.org", role="admin")
    assert answer.status_code == 422
    with database.reading() as session:
        assert queries.user_by_email(session, "n@example.org") is None


def test_an_invitation_by_link_makes_a_person_of_its_role(browser, database, people):
    answer = browser(people.admin).post("/invitations", data={"email": "N@example.org", "role": "reviewer"})
    token = shown_link(answer)
    page = browser().get(f"/invitations/{token}").text
    assert "a reviewer" in page
    assert accept(browser(), token, email="somebody.else@example.org").status_code == 303
    with database.reading() as session:
        assert queries.user_by_email(session, "n@example.org").role is Role.REVIEWER


def test_an_invitation_into_a_project_brings_the_membership_and_no_more(browser, database, people):
    client = browser(people.lead)
    answer = client.post(f"/projects/{people.project.slug}/members", data={"email": "n@example.org", "role": "admin"})
    assert accept(browser(), shown_link(answer)).status_code == 303
    with database.reading() as session:
        user = queries.user_by_email(session, "n@example.org")
        assert user.role is Role.ANNOTATOR
        assert projects.role_in(session, people.project, user) is Role.ADMIN


def test_a_known_person_joins_with_the_account_they_have(browser, database, people):
    answer = browser(people.lead).post(f"/projects/{people.project.slug}/members", data={"role": "reviewer"})
    token = shown_link(answer)
    client = browser(people.stranger)
    assert f"Join as {people.stranger.name}" in client.get(f"/invitations/{token}").text
    assert client.post(f"/invitations/{token}/joining").status_code == 303
    assert client.post(f"/invitations/{token}/joining").status_code == 409
    with database.reading() as session:
        assert projects.role_in(session, people.project, people.stranger) is Role.REVIEWER


def test_joining_never_takes_a_greater_role_away(browser, database, people):
    answer = browser(people.admin).post("/invitations", data={"role": "annotator", "project": people.project.slug})
    assert browser(people.lead).post(f"/invitations/{shown_link(answer)}/joining").status_code == 303
    with database.reading() as session:
        assert projects.role_in(session, people.project, people.lead) is Role.ADMIN


def test_a_named_invitation_is_for_that_person_alone(browser, people):
    answer = browser(people.lead).post(
        f"/projects/{people.project.slug}/members", data={"email": "n@example.org", "role": "reviewer"}
    )
    token = shown_link(answer)
    assert browser(people.stranger).post(f"/invitations/{token}/joining").status_code == 403
    assert accept(browser(), token).status_code == 303


@pytest.mark.parametrize("end", ["withdrawn", "expired"])
def test_a_link_that_ended_gets_410(browser, database, people, end):
    admin = browser(people.admin)
    token = shown_link(admin.post("/invitations", data={"role": "annotator"}))
    with database.reading() as session:
        invitation_id = session.scalar(select(Invitation.id))
    if end == "withdrawn":
        assert admin.post(f"/invitations/{invitation_id}/withdrawal").status_code == 303
    else:
        with database.writing() as session:
            session.execute(update(Invitation).values(expires_at=now() - timedelta(seconds=1)))
    assert browser().get(f"/invitations/{token}").status_code == 410
    assert accept(browser(), token, email="n@example.org").status_code == 410


def test_an_unknown_link_gets_404(browser):
    assert browser().get("/invitations/guessed").status_code == 404


def test_a_link_for_a_new_password_sets_it_and_ends_all_sessions(browser, database, people):
    admin, old = browser(people.admin), browser(people.annotator)
    token = shown_link(admin.post(f"/people/{people.annotator.id}/password-link"))
    assert "A new password" in browser().get(f"/invitations/{token}").text
    assert browser().post(f"/invitations/{token}", data={"password": PASSWORD}).status_code == 303
    assert old.get("/account").status_code == 303
    signed_in = browser().post("/sign-in", data={"email": people.annotator.email, "password": PASSWORD})
    assert signed_in.status_code == 303
    assert browser().post(f"/invitations/{token}", data={"password": PASSWORD}).status_code == 409
    with database.reading() as session:
        assert session.scalar(select(func.count(User.id)).where(User.email == people.annotator.email)) == 1


def test_a_newer_password_link_ends_the_older(browser, people):
    admin = browser(people.admin)
    older, _ = (shown_link(admin.post(f"/people/{people.annotator.id}/password-link")) for _ in range(2))
    assert browser().get(f"/invitations/{older}").status_code == 410

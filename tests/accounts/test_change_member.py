"""Roles change by owners only, and a project keeps an owner."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from accounts import change_member
from accounts.access import role_in
from accounts.models import AuditEvent, Membership, Project, Role, User

LoggedIn = Callable[[User], Client]


def _membership(user: User) -> Membership:
    return Membership.objects.get(user=user)


def test_an_owner_changes_a_role(logged_in: LoggedIn, owner: User, annotator: User, project: Project) -> None:
    answer = logged_in(owner).post(f"/p/demo/people/{annotator.pk}/role/", {"role": "curator"})
    assert answer.status_code == 302 and role_in(annotator, project) == Role.CURATOR
    event = AuditEvent.objects.get(action="change role")
    assert event.details == {"member": annotator.email, "from": "annotator", "to": "curator"}


def test_a_role_that_does_not_exist_changes_nothing(
    logged_in: LoggedIn, owner: User, annotator: User, project: Project
) -> None:
    logged_in(owner).post(f"/p/demo/people/{annotator.pk}/role/", {"role": "emperor"})
    assert role_in(annotator, project) == Role.ANNOTATOR


@pytest.mark.parametrize("who", ["annotator", "curator", "stranger"])
def test_nobody_else_changes_roles(
    logged_in: LoggedIn, owner: User, project: Project, who: str, request: pytest.FixtureRequest
) -> None:
    user = request.getfixturevalue(who)
    client = logged_in(user)
    for path in (f"/p/demo/people/{user.pk}/role/", f"/p/demo/people/{owner.pk}/remove/"):
        assert client.post(path, {"role": "owner"}).status_code in {403, 404}
    assert role_in(owner, project) == Role.OWNER
    assert role_in(user, project) != Role.OWNER


def test_an_owner_removes_a_member_twice_without_harm(
    logged_in: LoggedIn, owner: User, curator: User, project: Project
) -> None:
    client = logged_in(owner)
    assert client.post(f"/p/demo/people/{curator.pk}/remove/").status_code == 302
    assert role_in(curator, project) is None
    assert client.post(f"/p/demo/people/{curator.pk}/remove/").status_code == 404


def test_the_last_owner_stays(logged_in: LoggedIn, owner: User, curator: User, project: Project) -> None:
    client = logged_in(owner)
    demoted = client.post(f"/p/demo/people/{owner.pk}/role/", {"role": "annotator"})
    removed = client.post(f"/p/demo/people/{owner.pk}/remove/")
    assert demoted.status_code == removed.status_code == 409
    assert "only owner" in removed.content.decode()
    assert role_in(owner, project) == Role.OWNER


def test_with_a_second_owner_the_first_may_go(owner: User, curator: User, project: Project) -> None:
    change_member.change_role(membership=_membership(curator), role=Role.OWNER, by=owner)
    change_member.remove_member(membership=_membership(owner), by=owner)
    assert role_in(owner, project) is None
    with pytest.raises(change_member.LastOwner):
        change_member.remove_member(membership=_membership(curator), by=curator)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_at_once_leave_one(owner: User, curator: User, project: Project) -> None:
    change_member.change_role(membership=_membership(curator), role=Role.OWNER, by=owner)

    def remove(pair: tuple[Membership, User]) -> bool:
        try:
            change_member.remove_member(membership=pair[0], by=pair[1])
        except change_member.LastOwner:
            return False
        finally:
            connection.close()
        return True

    pairs = [(_membership(curator), owner), (_membership(owner), curator)]
    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(remove, pairs)) == [False, True]
    assert Membership.objects.filter(project=project, role=Role.OWNER).count() == 1


def test_a_switched_off_owner_does_not_count(owner: User, curator: User, project: Project) -> None:
    change_member.change_role(membership=_membership(curator), role=Role.OWNER, by=owner)
    User.objects.filter(pk=curator.pk).update(is_active=False)
    with pytest.raises(change_member.LastOwner):
        change_member.change_role(membership=_membership(owner), role=Role.CURATOR, by=owner)

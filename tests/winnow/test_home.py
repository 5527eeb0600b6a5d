from __future__ import annotations

from django.test import Client

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from corpus.sample import load


def test_an_annotator_is_led_to_what_is_left(client: Client, project: Project, owner: User, annotator: User) -> None:
    load(project)
    create_campaign(project=project, name="First round", created_by=owner)
    client.force_login(annotator)
    page = client.get("/").content.decode()
    assert "First round: 433 left to judge" in page
    assert "Start judging" in page
    assert "Choose a recipe" not in page


def test_a_curator_is_led_to_import_first(client: Client, project: Project, curator: User) -> None:
    client.force_login(curator)
    assert "Import a file" in client.get("/").content.decode()


def test_a_stranger_sees_no_project(client: Client, project: Project, stranger: User) -> None:
    client.force_login(stranger)
    page = client.get("/").content.decode()
    assert project.name not in page
    assert "You are in no project yet" in page


def test_the_palette_names_only_what_the_person_may_open(
    client: Client, project: Project, annotator: User, curator: User
) -> None:
    def labels(user: User) -> set[str]:
        client.force_login(user)
        return {entry["label"] for entry in client.get("/palette/?project=demo").json()["entries"]}

    assert "Releases" in labels(curator)
    assert "Releases" not in labels(annotator)


def test_the_palette_of_a_strange_project_is_not_found(client: Client, project: Project, stranger: User) -> None:
    client.force_login(stranger)
    assert client.get("/palette/?project=demo").status_code == 404

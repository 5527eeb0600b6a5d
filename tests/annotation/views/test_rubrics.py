"""The pages of rubrics over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Rubric
from annotation.rubrics.save import save_rubric
from corpus.models import Comparison

PAGES = "/p/demo/rubrics/"


@pytest.fixture
def rubric(project: Project) -> Rubric:
    return save_rubric(project=project, name="Support", criteria=["Is it polite?", "Is it short?"], by=None)


@pytest.fixture
def pages(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def typed(*texts: str, **columns: list[str]) -> dict[str, Any]:
    """The form as a browser sends it."""
    count = len(texts)
    rows = {
        "id": [""] * count, "kind": ["principle"] * count, "answers": ["yes_no"] * count, "least": ["1"] * count,
        "most": ["5"] * count, "anchors": [""] * count, "weight": [""] * count, "applies_to": [""] * count,
    }  # fmt: skip
    return {"text": list(texts), **rows, **columns}


@pytest.mark.parametrize("who", ["stranger", "annotator"])
def test_only_curators_open_them(request: pytest.FixtureRequest, client: Client, rubric: Rubric, who: str) -> None:
    client.force_login(request.getfixturevalue(who))
    expected = 404 if who == "stranger" else 403
    for path in ("", "new/", f"{rubric.id}/", f"{rubric.id}/export/"):
        assert client.get(PAGES + path).status_code == expected
    for path in ("new/", "preview/", "import/", f"{rubric.id}/", f"{rubric.id}/use/"):
        assert client.post(PAGES + path, typed("x?")).status_code == expected
    assert Rubric.objects.count() == 1


def test_a_rubric_of_another_project_is_not_here(pages: Client, curator: User) -> None:
    other = Project.objects.create(slug="other", name="Other", created_by=curator)
    foreign = save_rubric(project=other, name="Support", criteria=["Is it polite?"], by=None)
    assert pages.get(f"{PAGES}{foreign.id}/").status_code == 404
    assert pages.get(f"{PAGES}{10**30}/").status_code == 404


def test_the_list_is_empty_with_the_one_action_and_then_has_rows(pages: Client, project: Project) -> None:
    assert "Write a rubric" in pages.get(PAGES).content.decode()
    save_rubric(project=project, name="<b>Support</b>", criteria=["Is it polite?"], by=None)
    assert "&lt;b&gt;Support&lt;/b&gt;" in pages.get(PAGES).content.decode()


def test_a_rubric_is_written_and_saved_as_version_1(pages: Client) -> None:
    scale = {"answers": ["yes_no", "scale"], "anchors": ["", "1: cold\r\n3 - warm"], "most": ["5", "3"]}
    sent = {"name": "Support", "base_version": "0", **typed("Polite?", "Tone?", **scale), "weight": ["2", "0.5"]}
    answer = pages.post(f"{PAGES}new/", sent)
    saved = Rubric.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGES}{saved.id}/")
    assert saved.criteria[0] == {
        "id": "polite", "text": "Polite?", "kind": "principle", "answers": "yes_no", "weight": 2,
    }  # fmt: skip
    assert saved.criteria[1]["anchors"] == {"1": "cold", "3": "warm"}
    assert saved.criteria[1]["weight"] == 0.5


def test_saving_makes_a_new_version_and_nothing_new_makes_none(pages: Client, rubric: Rubric) -> None:
    ids = ["is_it_polite", "is_it_short"]
    sent = {"base_version": "1", **typed("Is it polite?", "Is it as short as can be?", id=ids)}
    pages.post(f"{PAGES}{rubric.id}/", sent)
    newest = Rubric.objects.latest("version")
    assert [one["id"] for one in newest.criteria] == ids
    again = pages.post(f"{PAGES}{newest.id}/", {**sent, "base_version": "2"}, follow=True)
    assert "Nothing had changed" in again.content.decode()
    assert Rubric.objects.count() == 2


def test_what_is_wrong_is_named_beside_its_row_and_nothing_typed_is_lost(pages: Client, rubric: Rubric) -> None:
    sent = {"base_version": "1", **typed("Is it <i>kind</i>?", "", kind=["hard", "hard"], weight=["many", ""])}
    answer = pages.post(f"{PAGES}{rubric.id}/", sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Is it &lt;i&gt;kind&lt;/i&gt;?" in page
    assert 'value="many"' in page
    assert "weight must be a number" in page
    assert "text must have" in page
    assert Rubric.objects.count() == 1


def test_htmx_swaps_in_only_what_is_wrong_and_goes_on_when_it_is_saved(pages: Client, rubric: Rubric) -> None:
    path = f"{PAGES}{rubric.id}/"
    wrong = pages.post(path, {"base_version": "1", **typed("")}, headers={"HX-Request": "true"})
    assert wrong.status_code == 200
    assert "<textarea" not in wrong.content.decode()
    assert "Criterion 1" in wrong.content.decode()
    stale = pages.post(path, {"base_version": "0", **typed("x?")}, headers={"HX-Request": "true"})
    assert "There is a version 1" in stale.content.decode()
    done = pages.post(path, {"base_version": "1", **typed("x?")}, headers={"HX-Request": "true"})
    assert done["HX-Redirect"] == f"{PAGES}{Rubric.objects.latest('version').id}/"


def test_the_preview_shows_it_as_the_annotator_sees_it_and_writes_nothing(pages: Client) -> None:
    answer = pages.post(f"{PAGES}preview/", typed("Polite?", "No lies?", kind=["principle", "hard"]))
    page = answer.content.decode()
    assert page.index("No lies?") < page.index("Polite?")
    assert "Hard rule" in page
    assert "comes once" in pages.post(f"{PAGES}preview/", typed("")).content.decode()
    only = pages.post(f"{PAGES}preview/", typed("Apart?", applies_to=["pair"])).content.decode()
    assert "comparative campaigns only" in only
    assert not Rubric.objects.exists()


def test_the_change_between_two_versions_is_shown(pages: Client, rubric: Rubric) -> None:
    newer = save_rubric(project=rubric.project, name="Support", criteria=["Is it polite?", "Is it true?"], by=None)
    page = pages.get(f"{PAGES}{newer.id}/?since=1").content.decode()
    assert "From version 1 to version 2" in page
    assert "is_it_true" in page and "is_it_short" in page
    for since in ("9", "x", "-1", "9" * 30):
        assert "From version" not in pages.get(f"{PAGES}{newer.id}/?since={since}").content.decode()


def test_what_is_exported_is_imported_again(pages: Client, rubric: Rubric) -> None:
    exported = pages.get(f"{PAGES}{rubric.id}/export/")
    assert "attachment" in exported["Content-Disposition"]
    assert json.loads(exported.content)["criteria"] == rubric.criteria
    upload = SimpleUploadedFile("rubric.json", exported.content)
    pages.post(f"{PAGES}import/", {"name": "Copy", "file": upload})
    copy = Rubric.objects.get(name="Copy")
    assert (copy.criteria, copy.origin) == (rubric.criteria, "file rubric.json")
    pages.post(f"{PAGES}import/", {"name": "", "document": exported.content.decode()})
    assert Rubric.objects.filter(name="Support").count() == 1


@pytest.mark.parametrize("document", ["", "polite", "a: [", '{"criteria": [{"text": ""}]}', "x" * 200_001])
def test_a_text_that_is_no_rubric_stays_in_the_form(pages: Client, project: Project, document: str) -> None:
    answer = pages.post(f"{PAGES}import/", {"name": "Support", "document": document})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Rubric.objects.exists()


def test_a_file_that_is_no_text_is_refused(pages: Client, project: Project) -> None:
    answer = pages.post(f"{PAGES}import/", {"name": "x", "file": SimpleUploadedFile("x.json", b"\x00\xff\xfe" * 50)})
    assert answer.status_code == 422


def test_a_campaign_is_asked_by_the_version_that_is_shown(
    pages: Client, project: Project, comparisons: list[Comparison]
) -> None:
    campaign = create_campaign(project=project, name="Checks", kind="rubric", rubric=["Is it polite?"])
    newer = save_rubric(project=project, name="Checks", criteria=["Is it kind?"], by=None)
    assert "Ask by version 2" in pages.get(f"{PAGES}{newer.id}/").content.decode()
    assert pages.post(f"{PAGES}{newer.id}/use/", {"campaign": campaign.id}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.rubric == newer
    for number in ("", "x", "999999", "9" * 30):
        assert pages.post(f"{PAGES}{newer.id}/use/", {"campaign": number}).status_code == 404

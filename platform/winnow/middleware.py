"""What went wrong, told to whoever asked: a page to a person, the one error shape to a program."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from accounts.access import role_in
from accounts.models import Project
from accounts.problems import Problem, Unauthenticated
from accounts.queries import owners_of
from winnow.errors import database_is_away, error_response, is_api, unavailable_response
from winnow.views import unavailable_page

GetResponse = Callable[[HttpRequest], HttpResponseBase]

HEADINGS = {
    401: "Please log in",
    403: "This is not yours to open",
    404: "There is nothing here",
    409: "This cannot be done now",
    410: "This link has ended",
    413: "This is too large",
    422: "Something in this needs a change",
    429: "Too fast",
    503: "Not now",
}


class Problems:
    """Turns what a view raised into a page. The API has its own handlers, which come first."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if database_is_away(exception):
            return unavailable_response() if is_api(request) else unavailable_page()
        if not isinstance(exception, Problem):
            return None
        if is_api(request):
            return error_response(
                exception.status, code=exception.code, message=exception.message, fields=exception.fields
            )
        if isinstance(exception, Unauthenticated):
            return login_first(request)
        return problem_page(request, exception)


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    context = {
        "heading": HEADINGS.get(problem.status, "This did not work"),
        "problem": problem,
        "back": came_from(request) if request.method == "POST" else None,
        **_place(request),
    }
    return render(request, "winnow/problem.html", context, status=problem.status)


def _place(request: HttpRequest) -> dict[str, object]:
    """The project around the page and who owns it, told to its members only."""
    slug = request.resolver_match.kwargs.get("slug") if request.resolver_match else None
    project = Project.objects.filter(slug=slug).first() if slug else None
    role = role_in(request.user, project) if project and request.user.is_authenticated else None
    if project is None or role is None:
        return {}
    return {"project": project, "role": role, "owners": owners_of(project)}


def login_first(request: HttpRequest) -> HttpResponse:
    """Back to the page one was on; a fragment asks htmx to move the whole page, not to swap a login form in."""
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = redirect_to_login(came_from(request), reverse("account_login")).url
        return response
    target = request.get_full_path() if request.method in {"GET", "HEAD"} else came_from(request)
    return redirect_to_login(target, reverse("account_login"))


def came_from(request: HttpRequest) -> str:
    """The path of the page behind this request; never another site's."""
    address = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer") or "")
    is_ours = address.netloc == request.get_host() and address.path.startswith("/")
    return address._replace(scheme="", netloc="", fragment="").geturl() if is_ours else "/"


class ApiErrors:
    """The last word on API paths: what Django refused before or behind our handlers gets the one shape too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or not is_api(request):
            return response
        if response.get("Content-Type", "").startswith("application/json"):
            return response
        answer = error_response(response.status_code)
        for header in ("Allow", "Retry-After"):
            if header in response:
                answer[header] = response[header]
        return answer

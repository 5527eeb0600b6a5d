"""allauth's login form in the words of this house."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm


class PlainLogin(LoginForm):  # type: ignore[misc]  # allauth carries no types
    """Labels say what a field is; a placeholder that says it again goes away when it is needed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "E-mail"
        for field in self.fields.values():
            field.help_text = ""
            field.widget.attrs.pop("placeholder", None)

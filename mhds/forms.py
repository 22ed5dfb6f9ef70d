"""Forms of a person's own account."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from mhds.models import User

if TYPE_CHECKING:
    UserModelForm = forms.ModelForm[User]
else:  # ModelForm takes no type argument at run time
    UserModelForm = forms.ModelForm


class SignInForm(AuthenticationForm):
    username = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"})
    )
    error_messages = {
        "invalid_login": "E-mail and password do not match an account here.",
        "inactive": "E-mail and password do not match an account here.",
    }


class AccountForm(UserModelForm):
    time_zone = forms.ChoiceField(choices=[(zone, zone) for zone in sorted(zoneinfo.available_timezones())])

    class Meta:
        model = User
        fields = ("name", "time_zone", "veil_sensitive", "keys_on", "tagged_cap")
        labels = {
            "veil_sensitive": "Keep sensitive turns veiled until I reveal them",
            "keys_on": "Single-key shortcuts on the scoring screen",
            "tagged_cap": "Sensitive records a day at most, 0 for no limit",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tagged_cap"].required = False

    def clean_tagged_cap(self) -> int:
        """An empty field leaves the limit as it is: emptying is not the same as having none."""
        given: int | None = self.cleaned_data["tagged_cap"]
        return self.instance.tagged_cap if given is None else given

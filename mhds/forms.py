"""Forms of a person's own account."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

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

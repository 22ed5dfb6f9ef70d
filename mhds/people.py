"""Accounts as an administrator keeps them: list, new by one-time link, roles and credentials. Shows no data."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.http import require_GET, require_POST

from mhds import audit
from mhds.access import allow, current_user, public
from mhds.errors import InvalidInput
from mhds.forms import UserModelForm
from mhds.models import User
from mhds.roles import Role

ADMIN = allow(Role.ADMIN)


class PersonForm(UserModelForm):
    """``languages`` are typed as codes with spaces between; roles are the groups."""

    reads = forms.CharField(label="Languages read (codes, such as: en zh)", required=False, max_length=60)
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"), label="Roles", required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = User
        fields = (
            "email",
            "name",
            "licence",
            "years_experience",
            "training_experience",
            "crisis_training",
            "is_active",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields["reads"].initial = " ".join(self.instance.languages)
            self.fields["groups"].initial = self.instance.groups.all()

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        return email

    def clean_reads(self) -> list[str]:
        codes = sorted(set(self.cleaned_data["reads"].replace(",", " ").lower().split()))
        if not all(code.isascii() and code.isalpha() and len(code) == 2 for code in codes):
            raise forms.ValidationError("Use two-letter codes, such as: en zh.")
        return codes


@ADMIN
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    found = User.objects.order_by("name").prefetch_related("groups")
    return render(request, "account/people.html", {"people": found, "section": "people"})


@ADMIN
def person(request: HttpRequest, user_id: UUID | None = None) -> HttpResponse:
    """Make or change an account. Nobody changes their own roles: that takes another administrator."""
    target = get_object_or_404(User, pk=user_id) if user_id else User()
    own = target.pk == current_user(request).pk and user_id is not None
    form = PersonForm(request.POST or None, instance=target)
    if request.method == "POST" and form.is_valid():
        if own and set(form.cleaned_data["groups"]) != set(target.groups.all()):
            raise InvalidInput("Your own roles are changed by another administrator.")
        _save(form, current_user(request), new=user_id is None)
        messages.success(request, f"Saved {target}.")
        return redirect("person", user_id=target.pk)
    context = {"form": form, "person": None if user_id is None else target, "section": "people"}
    return render(request, "account/person.html", context)


@transaction.atomic
def _save(form: PersonForm, admin: User, *, new: bool) -> None:
    user = form.save(commit=False)
    user.languages = form.cleaned_data["reads"]
    if new:
        user.set_unusable_password()
    user.save()
    user.groups.set(form.cleaned_data["groups"])
    if not user.is_active:
        end_sessions(user)
    roles = sorted(group.name for group in form.cleaned_data["groups"])
    action = "account.created" if new else "account.changed"
    audit.record(admin, action, f"user:{user.pk}", roles=roles, active=user.is_active, fields=sorted(form.changed_data))


def end_sessions(user: User) -> None:
    """Whoever leaves is signed out everywhere at once."""
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()


@ADMIN
@require_POST
def password_link(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """A one-time link by which the person sets a password; shown once, handed over by the administrator."""
    user = get_object_or_404(User, pk=user_id, is_active=True)
    token = default_token_generator.make_token(user)
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    link = request.build_absolute_uri(reverse("set-password", args=[uid, token]))
    audit.record(current_user(request), "account.link_made", f"user:{user.pk}")
    return render(request, "account/link.html", {"person": user, "link": link, "section": "people"})


class SetPassword(auth_views.PasswordResetConfirmView):
    template_name = "account/set_password.html"
    success_url = reverse_lazy("sign-in")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        audit.record(form.user, "account.password_set", f"user:{form.user.pk}")
        messages.success(self.request, "Your password is set. Sign in with it.")
        return response


set_password = public(SetPassword.as_view())

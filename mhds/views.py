"""Pages that belong to no app: sign-in, the account, health. Knows no release."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.db import connection
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_GET

from mhds import audit, throttle
from mhds.access import current_user, public, signed_in
from mhds.forms import AccountForm, SignInForm


class SignIn(auth_views.LoginView):
    """Sign-in with a throttle; the answer is the same whether or not the account exists."""

    form_class = SignInForm
    template_name = "account/sign_in.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        throttle.check(request.POST.get("username", ""))
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: Form) -> HttpResponse:
        throttle.failed(form.data.get("username", ""))
        audit.record(None, "account.sign_in_failed", "account")
        return super().form_invalid(form)  # type: ignore[arg-type]  # LoginView's own form type

    def form_valid(self, form: Any) -> HttpResponse:
        throttle.succeeded(form.data.get("username", ""))
        response = super().form_valid(form)
        audit.record(form.get_user(), "account.signed_in", f"user:{form.get_user().pk}")
        return response


class PasswordChange(auth_views.PasswordChangeView):
    template_name = "account/password.html"
    success_url = reverse_lazy("account")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """An open session on a shared computer is no place to guess the password either."""
        throttle.check(current_user(request).email)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: Form) -> HttpResponse:
        if "old_password" in form.errors:
            throttle.failed(current_user(self.request).email)
        return super().form_invalid(form)  # type: ignore[arg-type]  # PasswordChangeView's own form type

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        user = current_user(self.request)
        audit.record(user, "account.password_changed", f"user:{user.pk}")
        messages.success(self.request, "Your password was changed. Other sessions were signed out.")
        return response


sign_in = public(SignIn.as_view())
sign_out = signed_in(auth_views.LogoutView.as_view())
password = signed_in(PasswordChange.as_view())


@signed_in
def account(request: HttpRequest) -> HttpResponse:
    """A person's own settings; roles and credentials are an administrator's to keep."""
    user = current_user(request)
    form = AccountForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        audit.record(user, "account.changed", f"user:{user.pk}", fields=sorted(form.changed_data))
        messages.success(request, "Saved.")
        return redirect("account")
    return render(request, "account/account.html", {"form": form})


@public
@require_GET
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"ok": True})


@public
@require_GET
def readyz(_request: HttpRequest) -> JsonResponse:
    """The process and its database answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})

"""Who may open what: every view says it, or nobody may. Owns the decorators; the rules of record text are elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from mhds.errors import NotAllowed
from mhds.models import User
from mhds.roles import Role

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
ACCESS = "mhds_access"


def public(view: View) -> View:
    """Open to everyone: sign-in, health, static documents. Shows no data."""
    setattr(view, ACCESS, "public")
    return login_not_required(view)


def signed_in(view: View) -> View:
    """Open to any signed-in person: their own account, the home page."""
    setattr(view, ACCESS, frozenset(Role))
    return view


def allow(*roles: Role) -> Callable[[View], View]:
    """Open to these roles only."""

    def mark(view: View) -> View:
        setattr(view, ACCESS, frozenset(roles))
        return view

    return mark


def require(user: User | None, *roles: Role, doing: str) -> User:
    """The person, if they hold one of the roles; else NotAllowed, in words. Services ask again what views asked."""
    if user is None or not user.is_active or not user.holds(*roles):
        needed = " or ".join(role.words for role in roles)
        raise NotAllowed(f"{doing} needs the role {needed}.", hint="Ask a colleague who holds it.")
    return user


def current_user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise NotAllowed("Sign in first.")
    return request.user


class DenyApi(BasePermission):
    """The API's default: an endpoint that names no permission is closed."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002  the signature is DRF's
        return False

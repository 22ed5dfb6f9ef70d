"""Who may call the API: bearers of a token in force, within its scopes. Owns the header; knows no endpoint."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from releases import tokens
from releases.models import ServiceToken


class BearerToken(BaseAuthentication):
    """``Authorization: Bearer mhds_...``. ``request.auth`` is the token; there is no user behind it."""

    def authenticate(self, request: Request) -> tuple[None, ServiceToken] | None:
        scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = tokens.find(plain.strip())
        if token is None:
            # One answer for unknown, expired and revoked, and never the token itself.
            raise AuthenticationFailed
        return None, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  the signature is DRF's
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # spectacular's registry
    """How the schema describes it."""

    target_class = BearerToken
    name = "serviceToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002  the signature is spectacular's
        return {"type": "http", "scheme": "bearer", "bearerFormat": "mhds_..."}


class _HasScope(BasePermission):
    scope = ""
    message = "This token lacks the scope."

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002  the signature is DRF's
        if not isinstance(request.auth, ServiceToken):
            raise NotAuthenticated
        return self.scope in request.auth.scopes


class CanRead(_HasScope):
    scope = tokens.READ


class CanConsume(_HasScope):
    scope = tokens.CONSUME


def token_of(request: Request) -> ServiceToken:
    if not isinstance(request.auth, ServiceToken):
        raise NotAuthenticated
    return request.auth

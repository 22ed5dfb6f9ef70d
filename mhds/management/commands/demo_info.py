"""``manage.py demo_info``: address, accounts and releases of the demo in this data directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mhds.commands import Command as BaseCommand
from mhds.demo.setup import read_info


class Command(BaseCommand):
    help = "Show where the demo answers and how to sign in."
    step = "demo_info"

    def run(self, **_options: Any) -> Mapping[str, Any]:
        return read_info()

    def show(self, result: Mapping[str, Any]) -> None:
        self.stdout.write(f"address   {result.get('url', 'not running')}")
        for account in result.get("accounts", []):
            self.stdout.write(f"{account['role']:18}{account['email']:34}{account['password']}")
        for name, version in result.get("releases", {}).items():
            self.stdout.write(f"{name:10}{version}")

"""``manage.py demo_info``: address, accounts, releases, and how a training job reads the published one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mhds.commands import Command as BaseCommand
from mhds.demo.setup import shown_info


class Command(BaseCommand):
    help = "Show where the demo answers, how to sign in, and how to read its published release."
    step = "demo_info"

    def run(self, **_options: Any) -> Mapping[str, Any]:
        return shown_info()

    def show(self, result: Mapping[str, Any]) -> None:
        self.stdout.write(f"address   {result.get('url', 'not running')}")
        for account in result.get("accounts", []):
            self.stdout.write(f"{account['role']:18}{account['email']:34}{account['password']}")
        for name, version in result.get("releases", {}).items():
            self.stdout.write(f"{name:10}{version}")
        for name in ("prefix", "token"):
            self.stdout.write(f"{name:10}{result.get(name, 'none yet')}")
        if "smoke" in result:
            self.stdout.write(f"\nexport {result['token_env']}={result['token']}\n{result['smoke']}")

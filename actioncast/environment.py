"""What comes from environment variables, and how patient outgoing requests are."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, SecretStr

from actioncast.redaction import environment_secrets


class Patience(BaseModel):
    """How long to wait before an outgoing request is tried again."""

    model_config = ConfigDict(frozen=True)

    pause_seconds: float = 0.5  # before the second try; doubled at each further one
    longest_pause_seconds: int = 20  # a server that wants a longer pause gets it, until the next scheduled run
    retry_after_seconds: int = 90  # the same of a source of data, many of which count by the minute


# For a virtual clock, where a pause proves nothing.
NO_PAUSES = Patience(pause_seconds=0, longest_pause_seconds=0, retry_after_seconds=0)


class Environment(BaseModel):
    """What comes from environment variables; the tutorial's names URI and TOKEN are accepted.

    Read by hand and not by pydantic-settings, whose import alone takes a tenth of the API's cold
    start.
    """

    model_config = ConfigDict(frozen=True)

    database_url: SecretStr | None = None
    github_token: SecretStr | None = None
    github_api_url: str = "https://api.github.com"
    github_repository: str | None = None
    api_key: SecretStr | None = None  # one key, or several with commas between
    hidden: tuple[SecretStr, ...] = ()  # all secret values, those that config.toml names too
    production: bool = False
    revision: str | None = None  # commit of the image

    @classmethod
    def of(cls, variables: Mapping[str, str], config: str = "") -> Environment:
        """Pick the variables the project knows; empty ones count as unset, as GitHub passes missing secrets.

        `config` is the text of config.toml, whose "$NAME" are secrets.
        """
        on_cloud_run = bool(variables.get("K_SERVICE"))
        values = {
            "database_url": variables.get("DATABASE_URL") or variables.get("URI"),
            "github_token": variables.get("GITHUB_TOKEN") or variables.get("TOKEN"),
            "github_api_url": variables.get("GITHUB_API_URL"),
            "github_repository": variables.get("GITHUB_REPOSITORY"),
            "api_key": variables.get("API_KEY"),
            "revision": variables.get("REVISION"),
            "hidden": tuple(environment_secrets(variables, config)),
            "production": on_cloud_run or variables.get("ENVIRONMENT") == "production",
        }
        return cls.model_validate({name: value for name, value in values.items() if value})

    def workflow_url(self, file: str) -> str:
        """Where a person runs a workflow by hand; empty where the repository is not known."""
        if not self.github_repository:
            return ""
        server = self.github_api_url.replace("://api.", "://").removesuffix("/api/v3")
        return f"{server}/{self.github_repository}/actions/workflows/{file}"

    def secrets(self) -> list[str]:
        """The values that no output may hold."""
        return [secret.get_secret_value() for secret in self.hidden]

    def api_keys(self) -> list[str]:
        """The keys that are valid: while a key is rotated, the new and the old one."""
        if self.api_key is None:
            return []
        keys = [key.strip() for key in self.api_key.get_secret_value().split(",")]
        return [key for key in keys if key]

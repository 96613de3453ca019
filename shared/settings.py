"""What the environment may set, checked at start; the README's table lists the same names."""

import sys
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network


class Settings(BaseSettings):
    """One service's settings, each read from FENGSUI_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="FENGSUI_", extra="ignore", frozen=True)

    home: Path = Field(Path.home() / ".fengsui", description="directory of all state of an embedded stack")
    port_base: int = Field(8000, ge=1, le=65000, description="port of the console; the services follow it")
    port: int = Field(0, ge=0, le=65535, description="port of this process; 0: by service from the base")
    host: str = Field("127.0.0.1", description="address that the services listen on")
    kafka: str = Field("127.0.0.1:9092", min_length=3, description="bootstrap servers, host:port,…")
    postgres_work: str = Field("", description="DSN of the service's working role (consumer, relay, timers)")
    postgres_ask: str = Field("", description="DSN of the service's asking role (HTTP)")
    jwks: str = Field("", description="file or URL of the keys that sign the staff's tokens")
    rate_limit: int = Field(5000, ge=1, description="events a second that one key may push")
    webhook_allow: Annotated[list[Network], NoDecode] = Field(
        [], description="private networks that webhooks may reach, as CIDRs with commas"
    )
    trusted_proxies: Annotated[list[Network], NoDecode] = Field(
        [], description="proxies whose X-Forwarded-For and -Proto are believed, as CIDRs with commas"
    )
    console_origin: str = Field(
        "", pattern=r"^(https?://[^/\s]+)?$", description="scheme, host and port at which people reach the console"
    )
    service_urls: str = Field(
        "",
        pattern=r"^(\w+=https?://[^\s,]+(,\w+=https?://[^\s,]+)*)?$",
        description="where the services answer the console, as name=URL with commas; empty: on this machine",
    )
    session_idle_minutes: int = Field(30, ge=1, description="minutes without use after which a session ends")
    session_hours: int = Field(12, ge=1, description="hours after which a session ends in any case")
    oidc_issuer: str = Field("", pattern=r"^(https?://\S+)?$", description="issuer of an OpenID Connect provider")
    oidc_client_id: str = Field("", description="the console's name at that provider")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="the console's secret at that provider")
    oidc_name_claim: str = Field("preferred_username", min_length=1, description="claim that names the account")
    otel_endpoint: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="base URL of an OTLP/HTTP collector; empty: no traces"
    )
    otel_ratio: float = Field(0.01, ge=0, le=1, description="share of the pushes that are traced")
    message_days: int = Field(
        400, ge=1, description="days after which notify forgets what it sent and what was answered; notifications stay"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="least level logged")

    @field_validator("webhook_allow", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


def load() -> Settings:
    """The settings, or the end of the process with the wrong one's name and what it should be."""
    try:
        return Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = "FENGSUI_" + str(fault["loc"][0]).upper()
            field = Settings.model_fields.get(str(fault["loc"][0]))
            wanted = f" ({field.description})" if field else ""
            print(f"{name}: {fault['msg']}{wanted}", file=sys.stderr)  # never the value: it may be secret
        raise SystemExit(2) from None

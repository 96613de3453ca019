"""Signatures as Standard Webhooks has them: verified by its own library, spoilt by any change."""

import time

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from services.notify.channels.webhook import signature
from services.notify.sealing import new_secret
from tests.notify.stand import SECRET

BODY = '{"type":"notification.created","data":{"title":"红色报警"}}'.encode()


def signed(*secrets: str, name: str = "msg_1", body: bytes = BODY) -> dict[str, str]:
    stamp = int(time.time())
    return {
        "webhook-id": name,
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature(secrets, name, stamp, body),
    }


def test_the_example_of_the_convention_is_signed_as_it_says() -> None:
    body = b'{"test": 2432232314}'

    assert (
        signature([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_a_receiver_verifies_what_we_sign() -> None:
    assert Verifier(SECRET).verify(BODY, signed(SECRET))["type"] == "notification.created"


def test_both_secrets_verify_while_one_gives_way_to_the_other() -> None:
    new = new_secret()

    headers = signed(new, SECRET)

    for secret in (new, SECRET):
        Verifier(secret).verify(BODY, headers)


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp", "secret"])
def test_any_change_spoils_the_signature(change: str) -> None:
    headers, body, secret = signed(SECRET), BODY, SECRET
    if change == "body":
        body = BODY.replace(b"created", b"creates")
    elif change == "secret":
        secret = new_secret()
    else:
        headers[change] = "1" if change == "webhook-id" else str(int(headers[change]) + 1)

    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(body, headers)

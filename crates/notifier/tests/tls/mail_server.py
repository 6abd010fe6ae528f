"""aiosmtpd on a free port of 127.0.0.1. Tells its port, then each mail, as lines of JSON.

usage: mail_server.py none|starttls|tls CERTIFICATE KEY USERNAME PASSWORD   (a name of - : no login)

Recipients whose name begins with gone are refused, those with later at first, and full fails the mail.
"""

import asyncio
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

# A client that does not trust us is part of the tests.
logging.disable(logging.CRITICAL)
encryption, certificate, key, username, password = sys.argv[1:]


def tell(**what):
    print(json.dumps(what), flush=True)


class Handler:
    seen = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone"):
            return "550 5.1.1 No such user here"
        if address.startswith("later") and address not in self.seen:
            self.seen.add(address)
            return "451 4.7.1 Greylisted, try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if any(to.startswith("full") for to in envelope.rcpt_tos):
            return "452 4.3.1 Out of storage"
        tell(sender=envelope.mail_from, to=envelope.rcpt_tos, login=session.authenticated,
             encrypted=session.ssl is not None or encryption == "tls",
             data=envelope.content.decode())
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    success = (data.login, data.password) == (username.encode(), password.encode())
    return AuthResult(success=success, handled=False)


async def main():
    context = None
    if encryption != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
    login = {"authenticator": authenticate, "auth_required": True} if username != "-" else {}
    starttls = {"tls_context": context, "require_starttls": True} if encryption == "starttls" else {}
    if encryption == "tls":
        login["auth_require_tls"] = False
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Handler(), enable_SMTPUTF8=True, **login, **starttls), "127.0.0.1", 0,
        ssl=context if encryption == "tls" else None)
    tell(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())

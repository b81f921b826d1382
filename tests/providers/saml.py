"""A real SAML 2.0 identity provider (pysaml2) on loopback.

    python -m tests.providers.saml FOLDER '{"wang": {"pairwise-id": ["..."], ...}}'

Prints its address; FOLDER holds `sp.xml` when the first question comes. It signs with the
wheel of xmlsec in place of the program of that name. A form field makes it misbehave:
`key=other` (a key nobody knows), `audience=...`, `unasked=1`, `sign=response` (not the assertion).
"""

import html
import json
import sys
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import saml2.sigver
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAME_FORMAT_URI
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256


class Binding(saml2.sigver.CryptoBackend):
    """Signs through the library."""

    version = "1.3"

    def sign_statement(self, statement, node_name, key_file, node_id):
        text = statement if isinstance(statement, bytes) else str(statement).encode()
        root = etree.fromstring(text)
        xmlsec.tree.add_ids(root, ["ID"])
        signed = root.xpath(f"//*[@ID='{node_id}']")[0]
        signature = signed.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(key_file, xmlsec.KeyFormat.PEM)
        context.sign(signature)
        return etree.tostring(root).decode()


saml2.sigver.CryptoBackendXMLSecurity = Binding


def make_key(folder: Path, name: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def config(folder: Path, base: str, key: str) -> IdPConfig:
    sp = folder / "sp.xml"
    sign_on = [(f"{base}/sso", BINDING_HTTP_REDIRECT)]
    return IdPConfig().load(
        {
            "entityid": f"{base}/metadata",
            "crypto_backend": "XMLSecurity",
            "key_file": str(folder / f"{key}.key"),
            "cert_file": str(folder / f"{key}.crt"),
            "service": {
                "idp": {
                    "endpoints": {"single_sign_on_service": sign_on},
                    "policy": {
                        "default": {
                            "lifetime": {"minutes": 5},
                            "name_form": NAME_FORMAT_URI,
                            "attribute_restrictions": None,
                        }
                    },
                    "sign_assertion": True,
                    "sign_response": False,
                }
            },
            "metadata": {"local": [str(sp)]} if sp.exists() else {},
        }
    )


class Pages(BaseHTTPRequestHandler):
    folder: Path
    people: dict
    base: str

    def log_message(self, *words):
        pass

    def say(self, text, kind="text/html"):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/metadata":
            text = str(entity_descriptor(config(self.folder, self.base, "idp")))
            self.say(text, "application/samlmetadata+xml")
            return
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
            for name, value in query.items()
        )
        self.say(
            f'<title>IdP</title><form method="post" action="/sso">{hidden}'
            '<input name="login" id="login"><button>Sign in</button></form>'
        )

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        server = Server(config=config(self.folder, self.base, form.get("key", "idp")))
        asked = server.parse_authn_request(form["SAMLRequest"], BINDING_HTTP_REDIRECT)
        args = server.response_args(asked.message, [BINDING_HTTP_POST])
        target = args["destination"]
        if form.get("unasked"):
            args["in_response_to"] = None
        if audience := form.get("audience"):
            args["sp_entity_id"] = audience
        args.pop("name_id_policy", None)
        answer = server.create_authn_response(
            identity=self.people[form["login"]],
            userid=form["login"],
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": self.base},
            sign_assertion=form.get("sign") != "response",
            sign_response=form.get("sign") == "response",
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
            name_id=server.ident.transient_nameid(form["login"], args.get("sp_entity_id")),
            **args,
        )
        packed = server.apply_binding(
            BINDING_HTTP_POST, str(answer), target, form.get("RelayState", ""), response=True
        )
        self.say(packed["data"])


def main(folder: Path, people: dict) -> None:
    make_key(folder, "idp")
    make_key(folder, "other")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    Pages.folder, Pages.people = folder, people
    Pages.base = f"http://127.0.0.1:{server.server_port}"
    print(Pages.base, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

"""Certificates: uploaded ones, and managed ones that are issued after a while."""

import hmac
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from pydantic import Field

from lab.hcloud.errors import ApiError, invalid
from lab.hcloud.issue import issue
from lab.hcloud.kinds import Kind, NewBody, read
from lab.hcloud.project import Item, Project


class NewCertificate(NewBody):
    """A new certificate: PEM texts, or the names to issue one for."""

    type: Literal["uploaded", "managed"] = "uploaded"
    certificate: str = ""
    private_key: str = ""
    domain_names: list[str] = Field(default_factory=list)


def described(pem: str) -> Item:
    """What the API shows of a certificate, the first of a chain.

    Raises:
        ApiError: ``invalid_input`` if it is none.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        domains = names.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        domains = []
    except ValueError as error:
        raise invalid("certificate", "is not a certificate in PEM") from error
    return {
        "certificate": pem,
        "not_valid_before": certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "not_valid_after": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "domain_names": domains,
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
    }


def _check_pair(certificate: str, private_key: str) -> None:
    try:
        key = serialization.load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError) as error:
        raise invalid("private_key", "is not a private key in PEM") from error
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    public = x509.load_pem_x509_certificate(certificate.encode()).public_key().public_bytes(*form)
    if not hmac.compare_digest(key.public_key().public_bytes(*form), public):
        raise invalid("private_key", "does not belong to the certificate")


class Certificates(Kind):
    """Certificates for load balancers."""

    collection = "certificates"
    filters = ("name", "type")

    def create(self, project: Project, body: Item) -> Item:
        """Take in a certificate, or begin to issue one."""
        wanted = read(NewCertificate, body)
        base = wanted.model_dump(include={"name", "labels", "type"})
        if wanted.type == "uploaded":
            facts = described(wanted.certificate)
            _check_pair(wanted.certificate, wanted.private_key)
            return self.answer(project, project.add(self.collection, {**base, **facts, "status": None}), action=None)
        if not wanted.domain_names:
            raise invalid("domain_names", "must not be empty")
        empty = dict.fromkeys(("certificate", "not_valid_before", "not_valid_after", "fingerprint"))
        pending = {"issuance": "pending", "renewal": "unavailable", "error": None}
        item = project.add(self.collection, {**base, **empty, "domain_names": wanted.domain_names, "status": pending})
        return self.answer(project, item, **self._issue(project, item, "create_certificate"))

    def _issue(self, project: Project, item: Item, command: str) -> Item:
        done = {
            **described(issue(item["domain_names"])),
            "status": {"issuance": "completed", "renewal": "scheduled", "error": None},
        }
        error = {"code": "dns_zone_not_found", "message": "DNS zone not found"}
        failed = {"status": {"issuance": "failed", "renewal": "unavailable", "error": error}}
        return self.begin(project, command, item, then=done, otherwise=failed)

    def do_retry(self, project: Project, item: Item, _body: Item) -> Item:
        """Try again to issue a managed certificate."""
        if not item["status"] or item["status"]["issuance"] != "failed":
            raise ApiError("unsupported_error", "only a managed certificate whose issuance failed can be retried")
        item["status"] = {"issuance": "pending", "renewal": "unavailable", "error": None}
        return self._issue(project, item, "issue_certificate")

    def show(self, project: Project, item: Item) -> Item:
        """With the load balancers that use it."""
        used = [
            {"id": balancer["id"], "type": "load_balancer"}
            for balancer in project.all("load_balancers")
            if any(item["id"] in (s.get("http") or {}).get("certificates", []) for s in balancer["services"])
        ]
        return {**super().show(project, item), "used_by": used}

    def delete(self, project: Project, item: Item) -> Item | None:
        """Only if no load balancer uses it."""
        if self.show(project, item)["used_by"]:
            raise ApiError("resource_in_use", "certificate is still used by a load balancer")
        return super().delete(project, item)

"""TLS as the settings describe it: certificates that are read once, at the start, and errors that name the variable."""

import ssl
from dataclasses import dataclass, field
from functools import cached_property

from schemas.errors import InvalidConfiguration


@dataclass(frozen=True)
class Tls:
    """Certificates in PEM files, and the variables they come from: `prefix` is CONTACTMETER_KAFKA or CONTACTMETER_CLICKHOUSE.

    An empty `ca_file` trusts what the system trusts; an empty `key_file` means that the key is in `certificate_file`. `verify` is off
    for tests only: whoever stands in between could read along.
    """

    prefix: str
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    key_password: str = field(default="", repr=False)
    verify: bool = True

    @property
    def given(self) -> bool:
        """Whether anything here was set: a mistake where TLS is off."""
        return bool(self.ca_file or self.certificate_file or self.key_file or self.key_password or not self.verify)

    @cached_property
    def context(self) -> ssl.SSLContext:
        """For clients. Raises InvalidConfiguration for a file that is missing or is not what it should be."""
        if self.key_file and not self.certificate_file:
            raise InvalidConfiguration(f"{self.prefix}_KEY_FILE is set, {self.prefix}_CERTIFICATE_FILE is not: a key needs its certificate")
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise InvalidConfiguration(
                f"{self.prefix}_CA_FILE names {self.ca_file}, which holds no certificate in PEM form that can be read: {_why(error)}"
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate_file:
            try:  # the password is always given, though it be empty: without one OpenSSL would ask for it on the terminal
                context.load_cert_chain(self.certificate_file, self.key_file or None, lambda: self.key_password)
            except (OSError, ssl.SSLError, ValueError) as error:
                raise InvalidConfiguration(
                    f"{self.prefix}_CERTIFICATE_FILE names {self.certificate_file}, which with the key in "
                    f"{self.key_file or 'the same file'} can't be used: {_why(error)}; both must be PEM and belong together, "
                    "and an encrypted key needs its password (CONTACTMETER_KAFKA_KEY_PASSWORD_FILE; for ClickHouse take a key without one)"
                ) from None
        return context


def _why(error: Exception) -> str:
    """Of OpenSSL's errors the reason, of the operating system's the words."""
    return (error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)) or str(error)

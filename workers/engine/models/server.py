"""A causal model behind an OpenAI-compatible server, as a scorer.

What is asked of the server
    GET  /v1/models         which models it has
    POST /tokenize          a conversation as token ids, by the server's own template; /detokenize for the way back
    POST /v1/completions    log-probabilities of given ids (`prompt_logprobs.py`)
    vLLM has all of them. A server without /tokenize can have its tokenizer in a folder among Winnow's models.

Limits
    A server does not tell which weights it runs. `version` therefore takes in what the model says of a fixed
    conversation, as far as that is not what it said before (`seen_before.py`); another checkpoint under the same name
    mostly shows. The ids of a passage and one token that servers insist on writing must fit its context.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workers.engine.bench import Unworkable
from workers.engine.generation.by_server import check_writes, write_by_server
from workers.engine.generation.written import Sampling, Written
from workers.engine.likelihood.chat import Chat
from workers.engine.likelihood.passages import Floats, Passage, Scored
from workers.engine.likelihood.tokens import Messages, OwnTokens, TemplateRefuses, Tokens
from workers.engine.models.allowed import Server, Servers, canonical
from workers.engine.models.client import Answered, Client, Garbled, Patience, ServerTrouble, Stop
from workers.engine.models.folder import tokenizer_of
from workers.engine.models.kept_tokens import KeptTokens
from workers.engine.models.names import Served
from workers.engine.models.prompt_logprobs import FORMS, body_of, read_of
from workers.engine.models.seen_before import settled
from workers.engine.models.server_tokens import THREE_TURNS, Memory, Reading, ServerTokens, find_out
from workers.engine.models.side_by_side import side_by_side

# Requests under way at once: enough to fill a server's batch, few enough for one that works them off one by one.
HANDS = 16
LONGEST_NAME = 300
# Where nobody says how much a model reads; and the most, since every token of an answer is a small object here.
UNTOLD_CONTEXT, MOST_CONTEXT = 4096, 32_768
# So long what was found out about a server is believed.
BELIEVED_SECONDS = 60.0
# For the first questions somebody waits.
FIRST = Patience(answer=60.0, pauses=(0.5, 1.0, 2.0), late=0)


@dataclass(frozen=True)
class Facts:
    """What was found out about a server and one of its models."""

    model: str
    context: int
    # None where the tokenizer lies in a folder.
    reading: Reading | None
    tokenizer: str
    form: str
    version: str


class ServerScorer:
    """`check` is called while a request waits, and raises to end it."""

    def __init__(self, client: Client, facts: Facts, models: Path, *, cache: Path, check: Stop = lambda: None) -> None:
        self.client, self.facts, self.models, self.check = client, facts, models, check
        self.cache = cache / "servers"
        self.context, self.version = facts.context, facts.version
        # Without the URL: it may come to stand in what is published, and the run's result tells it.
        self.name = facts.model
        self.hands = HANDS

    def chat(self, *, with_eot: bool = True, template: str | None = None) -> Chat:
        return Chat(self._tokens(template), self.context, with_eot=with_eot)

    def score(
        self,
        passages: Sequence[Passage],
        *,
        check: Callable[[], None] = lambda: None,
        on_passage: Callable[[int], None] = lambda done: None,
    ) -> list[Scored]:
        """Neighbours in the order of their ids are asked about together, for servers that keep what texts share."""
        for memory in _memories.values():
            if memory.kept:
                memory.kept.write()
        ids = sorted({passage.ids for passage in passages if passage.begin < len(passage.ids)})
        said = side_by_side(
            ids,
            lambda one, stop: _asked(self.client, self.facts.form, self.facts.model, one, stop),
            hands=self.hands,
            check=check,
            on_done=on_passage,
        )
        found = dict(zip(ids, said, strict=True))
        nothing = np.zeros(0, np.float32)
        return [Scored(found.get(passage.ids, nothing)[passage.begin :]) for passage in passages]

    def _tokens(self, template: str | None) -> Tokens:
        return _tokens(self.client, self.facts, self.models, template, self.check, self._memory(template))

    def _memory(self, template: str | None) -> Memory:
        of_template = hashlib.sha256(f"{self.facts.version} {template}".encode()).hexdigest()[:16]
        file = self.cache / f"{of_template}.sqlite"
        return _memories.setdefault(file, Memory(kept=KeptTokens(file)))


def open_server(
    served: Served,
    servers: Servers,
    models: Path,
    *,
    cache: Path,
    check: Stop = lambda: None,
    patience: Patience | None = None,
) -> ServerScorer:
    """Unworkable for what trying again will not mend, ServerTrouble where the server does not answer."""
    facts = _believed(served, servers, models, cache, check)
    return ServerScorer(_client(servers, served.url, patience), facts, models, cache=cache, check=check)


def told_of_server(served: Served) -> dict[str, Any]:
    """What a run keeps of the model it used, from what was found out last: no server tells the hash of its weights."""
    url = canonical(served.url)
    wanted = (url, served.model)
    scored = (facts for (server, model, _), (_, facts) in _known.items() if (server.url, model) == wanted)
    wrote = (model for (server, named), (_, model) in _writers.items() if (server.url, named) == wanted)
    facts = next(scored, None)
    name, version = (facts.model, facts.version) if facts else (next(wrote, served.model), "")
    return {"name": name, "server": url, "sha256": "", "reading": version}


class ServerWriter:
    """A model behind a server that need not be able to score."""

    def __init__(self, client: Client, model: str) -> None:
        self.client, self.model = client, model
        self.name = model
        # Of where it is alone: who only writes tells nothing of its weights.
        self.version = hashlib.sha256(f"{client.url} {model}".encode()).hexdigest()[:16]

    def write(
        self,
        asked: Sequence[Messages],
        sampling: Sampling,
        *,
        check: Callable[[], None] = lambda: None,
        on_written: Callable[[int], None] = lambda done: None,
    ) -> list[list[Written]]:
        return write_by_server(
            self.client, self.model, asked, sampling, hands=HANDS, check=check, on_written=on_written
        )


def open_server_to_write(
    served: Served, servers: Servers, *, check: Stop = lambda: None, patience: Patience | None = None
) -> ServerWriter:
    """As `open_server`; what the server can beside writing is not asked."""
    at, model = _writers.get((servers.at(served.url), served.model), (0.0, ""))
    if time.monotonic() - at > BELIEVED_SECONDS:
        first = Client(servers, served.url, patience=FIRST)
        try:
            model, _ = _chosen(first, served.model, check)
            check_writes(first, model, check=check)
        except (Answered, Garbled) as reason:
            raise Unworkable(f"The model server {first.url} answers {reason}.") from reason
        finally:
            first.close()
        _writers[servers.at(served.url), served.model] = (time.monotonic(), model)
    return ServerWriter(_client(servers, served.url, patience), model)


def forget_servers() -> None:
    _writers.clear()
    _memories.clear()
    _known.clear()
    while _clients:
        _clients.popitem()[1][2].close()


_writers: dict[tuple[Server, str], tuple[float, str]] = {}
_memories: dict[Path, Memory] = {}
_known: dict[tuple[Server, str, Path], tuple[float, Facts]] = {}
_clients: dict[str, tuple[Servers, Patience | None, Client]] = {}


def _client(servers: Servers, url: str, patience: Patience | None) -> Client:
    """One per server, so that connections are used again; what a project may reach is looked at every time."""
    url = servers.at(url).url
    known, patient, client = _clients.get(url, (None, None, None))
    if client is None or known != servers or patient != patience:
        if client is not None:
            client.close()
        client = Client(servers, url, patience=patience, connections=HANDS)
        _clients[url] = (servers, patience, client)
    return client


def _believed(served: Served, servers: Servers, models: Path, cache: Path, check: Stop) -> Facts:
    server = servers.at(served.url)
    key = (server, served.model, cache)
    at, facts = _known.get(key, (0.0, None))
    if facts is not None and time.monotonic() - at < BELIEVED_SECONDS:
        return facts
    client = Client(servers, server.url, patience=FIRST)
    try:
        facts = _found_out(client, served.model, server.tokenizer, models, cache, check)
    except (Answered, Garbled) as reason:
        raise Unworkable(f"The model server {client.url} answers {reason}.") from reason
    finally:
        client.close()
    _known[key] = (time.monotonic(), facts)
    return facts


def _found_out(client: Client, wanted: str, tokenizer: str, models: Path, cache: Path, check: Stop) -> Facts:
    model, told = _chosen(client, wanted, check)
    reading = None if tokenizer else find_out(client, model, check=check)
    if reading is None and not tokenizer:
        raise Unworkable(
            f"The model server {client.url} has no /tokenize, so nobody can say which tokens its model reads. Start it "
            "with vLLM (vllm serve MODEL), or put the model's tokenizer into a folder of WINNOW_HOME/models and name "
            "that folder beside the server in the project's settings."
        )
    context = (reading.context if reading else 0) or told or _own_context(models / tokenizer) or UNTOLD_CONTEXT
    facts = Facts(model, min(context, MOST_CONTEXT) - 1, reading, tokenizer, "", "")
    try:
        ids = _tokens(client, facts, models, None, check).rendered(THREE_TURNS, opens=False)
    except TemplateRefuses as reason:
        raise Unworkable(f"The model server {client.url} cannot write a conversation: {reason}.") from reason
    form, said = _form(client, model, ids, check)
    asked = hashlib.sha256(f"{client.url} {model} {tokenizer} {ids}".encode()).hexdigest()[:16]
    total = settled(round(float(np.nansum(said)), 2), asked, cache / "servers")
    version = hashlib.sha256(f"{asked} {total}".encode()).hexdigest()[:16]
    return Facts(model, facts.context, reading, tokenizer, form, version)


def _chosen(client: Client, wanted: str, check: Stop) -> tuple[str, int]:
    """The model's id and, where the server tells it, how much it reads."""
    try:
        known = client.get("/models", stop=check, read=_models)
    except Answered as reason:
        if wanted and reason.status in (404, 405, 501):
            return wanted, 0
        raise
    if not wanted and len(known) != 1:
        raise Unworkable(
            f"The model server {client.url} has {len(known)} models; write {client.url}#MODEL with one of: "
            f"{', '.join(list(known)[:10]) or 'none'}."
        )
    if wanted and wanted not in known:
        raise Unworkable(f"{client.url} has no model {wanted!r}; it has {', '.join(list(known)[:10]) or 'none'}.")
    model = wanted or next(iter(known))
    return model, known[model]


def _models(told: Any) -> dict[str, int]:
    try:
        found = {str(one["id"]): one.get("max_model_len") for one in told["data"]}
    except (KeyError, TypeError, AttributeError):
        raise Garbled("no list of models") from None
    if any(len(name) > LONGEST_NAME for name in found):
        raise Garbled("models with endless names")
    return {name: most if type(most) is int and most > 0 else 0 for name, most in found.items()}


def _form(client: Client, model: str, ids: Sequence[int], check: Stop) -> tuple[str, Floats]:
    """The first form in which the server tells what is asked, and what it says of these ids."""
    words, troubles = [], []
    for form in FORMS:
        try:
            looked = partial(_first_look, form, ids)
            return form, client.post("/completions", body_of(form, model, ids), stop=check, read=looked)
        except (Answered, _Unable) as reason:
            words.append(f"{form}: {reason}")
        except ServerTrouble as reason:
            # Some answer 500 to what they do not know; another is only busy, and may be asked again later.
            troubles.append(reason)
    if troubles:
        raise troubles[0]
    raise Unworkable(
        f"The model server {client.url} does not tell how probable a given text is, so it can write but not score "
        f"({'; '.join(words)}). Start the model with vLLM (vllm serve MODEL), which answers prompt_logprobs, or put "
        "its folder on the worker's machine."
    )


class _Unable(Exception):
    pass


def _first_look(form: str, ids: Sequence[int], told: Any) -> Floats:
    """Nothing is gained by asking the same again of a server that leaves out what it does not know."""
    try:
        return read_of(form, ids, told)
    except Garbled as reason:
        raise _Unable(str(reason)) from None


def _asked(client: Client, form: str, model: str, ids: Sequence[int], stop: Stop) -> Floats:
    try:
        return client.post(
            "/completions", body_of(form, model, ids), stop=stop, read=lambda told: read_of(form, ids, told)
        )
    except Answered as reason:
        raise ServerTrouble(f"The model server {client.url} answers {reason} where it scored before.") from reason


def _tokens(
    client: Client, facts: Facts, models: Path, template: str | None, check: Stop, memory: Memory | None = None
) -> Tokens:
    if facts.reading is None:
        return OwnTokens(tokenizer_of(_folder(models, facts.tokenizer)), template)
    return ServerTokens(client, facts.model, facts.reading, template=template, check=check, memory=memory)


def _folder(models: Path, name: str) -> Path:
    folder = models / name
    if Path(name).name != name or not folder.is_dir():
        raise Unworkable(f"There is no folder {name!r} in {models} with the tokenizer of the model server.")
    return folder


def _own_context(folder: Path) -> int:
    if not folder.name or not folder.is_dir():
        return 0
    most = tokenizer_of(folder).model_max_length
    return int(most) if most < 10**7 else 0

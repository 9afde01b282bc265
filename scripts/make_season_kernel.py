"""Make the WebAssembly of the season's page from the environments' compiled functions.

    python scripts/make_season_kernel.py

Numba's intermediate code of each function of ``fitgym_agents.season.kernel`` is given LLVM's
WebAssembly target, and a section that exports the functions. LLVM's object is complete but for
that, so that no linker is needed: its data lie at address 0, and what it imports (memory, stack,
four functions of mathematics) the page gives. The hash of the sources is kept in a section of its
own, so that a test sees when they have changed.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Any

import gymnasium as gym
import llvmlite.binding as llvm
import numba
import numpy as np

import fitgym  # noqa: F401
from fitgym.common.files import write_bytes
from fitgym.envs.cost import WEEK_COLUMNS
from fitgym_agents.season import kernel

_TRIPLE = "wasm32-unknown-unknown"
_IMPORTS, _EXPORTS, _CUSTOM = 2, 7, 0


def main() -> None:
    """Write the file."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(_TRIPLE).create_target_machine(opt=2)
    modules = [module_of(function, arguments) for function, arguments in calls()]
    linked = modules[0]
    for module in modules[1:]:
        linked.link_in(module)
    names = [function.__name__ for function in kernel.EXPORTED]
    for function in linked.functions:
        if not function.is_declaration and function.name not in names:
            function.linkage = "internal"
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(linked, builder)
    found = [one.name for one in linked.functions if not one.is_declaration]
    wasm = with_exports(machine.emit_object(linked), found)
    wasm += section(_CUSTOM, text("sources") + kernel.kernel_sources_hash().encode())
    path = Path(str(resources.files("fitgym_agents"))) / "season" / "kernel.wasm"
    write_bytes(path, wasm)
    print(f"{path.name}: {len(wasm):,} bytes, {', '.join(found)}")


def calls() -> list[tuple[Any, tuple[Any, ...]]]:
    """Return each exported function with arguments of the types that it is compiled for."""
    environments: Any = gym.make_vec("fitgym/Acquisition-v1", 1, observation="person").unwrapped
    environments.reset(seed=0)
    batch = environments.batch()
    chosen = np.ones(1, dtype=np.bool_)
    keys = batch.states["key"].copy()
    starts = batch.states.copy()
    observations = np.zeros((1, environments.single_observation_space.shape[0]), np.float32)
    arguments = {
        kernel.begin: (batch.states, batch.outcomes, batch.people, chosen, starts, keys),
        kernel.step: (
            batch.states,
            batch.outcomes,
            batch.people,
            chosen,
            np.zeros(1),
            batch.adherence,
            batch.tables,
            np.zeros(1, np.bool_),
        ),
        kernel.observe: (batch.states, batch.outcomes, batch.contexts, batch.days, observations),
    }
    arguments[kernel.charge] = (
        np.zeros((1, WEEK_COLUMNS), np.int64),
        batch.states,
        chosen,
        np.zeros(1),
    )
    return [(function, arguments[function]) for function in kernel.EXPORTED]


def module_of(function: Any, arguments: tuple[Any, ...]) -> Any:
    """Return the module of a function, compiled for WebAssembly and called as it is here."""
    compiled = numba.njit(error_model="numpy", _nrt=False)(function)
    compiled(*arguments)
    (ir,) = compiled.inspect_llvm().values()
    # The function itself returns a status; what else is defined are wrappers for Python.
    (native,) = compiled.overloads.values()
    name = native.fndesc.llvm_func_name
    ir = re.sub(r"^target (datalayout|triple).*$", "", ir, flags=re.M)
    ir = re.sub(r'"target-(cpu|features)"="[^"]*"', "", ir)
    ir = f'target triple = "{_TRIPLE}"\n' + ir.replace("= common ", "= internal ")
    module = llvm.parse_assembly(ir)
    for one in module.functions:
        if not one.is_declaration and one.name != name:
            one.linkage = "internal"
    for one in module.global_variables:
        if not one.is_declaration:
            one.linkage = "internal"
    module.get_function(name).name = function.__name__
    return module


def with_exports(module: bytes, names: list[str]) -> bytes:
    """Return an object as a module that exports its functions, in their order."""
    sections = list(read_sections(module))
    (imports,) = (content for number, content in sections if number == _IMPORTS)
    first = imported_functions(imports)
    exports = leb128(len(names)) + b"".join(
        text(name) + b"\x00" + leb128(first + number) for number, name in enumerate(names)
    )
    whole, done = module[:8], False
    for number, content in sections:
        if number == _CUSTOM:
            continue
        if number > _EXPORTS and not done:
            whole += section(_EXPORTS, exports)
            done = True
        whole += section(number, content)
    return whole


def read_sections(module: bytes) -> Any:
    """Yield number and content of each section of a module."""
    place = 8
    while place < len(module):
        number = module[place]
        size, start = read_leb128(module, place + 1)
        yield number, module[start : start + size]
        place = start + size


def imported_functions(imports: bytes) -> int:
    """Return how many functions a section of imports has."""
    count, place = read_leb128(imports, 0)
    functions = 0
    for _ in range(count):
        for _ in range(2):
            size, place = read_leb128(imports, place)
            place += size
        kind, place = imports[place], place + 1
        if kind == 0:
            functions += 1
            _, place = read_leb128(imports, place)
        elif kind == 3:
            place += 2
        else:
            # A table has a type before its limits; a memory has limits alone.
            place += 1 if kind == 1 else 0
            bounded, place = imports[place], place + 1
            _, place = read_leb128(imports, place)
            if bounded & 1:
                _, place = read_leb128(imports, place)
    return functions


def leb128(number: int) -> bytes:
    """Return a number as WebAssembly writes it, seven bits a byte."""
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def read_leb128(content: bytes, place: int) -> tuple[int, int]:
    """Return a number and the place after it."""
    number = shift = 0
    while True:
        byte = content[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place


def section(number: int, content: bytes) -> bytes:
    """Return a section with its number and size."""
    return bytes([number]) + leb128(len(content)) + content


def text(name: str) -> bytes:
    """Return a name with its length."""
    return leb128(len(name)) + name.encode()


if __name__ == "__main__":
    main()

"""The operations of a SavedModel that reach beyond the texts: files, the network, Python; found without running it.

A SavedModel is a program: loading it runs the part that initializes it, calling it runs the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_REACH = {
    "files": """
        ReadFile WriteFile MatchingFiles WholeFileReader TextLineReader TFRecordReader FixedLengthRecordReader
        LMDBReader TextLineDataset TFRecordDataset FixedLengthRecordDataset CSVDataset LMDBDataset SqlDataset
        MatchingFilesDataset CacheDataset SnapshotDataset SnapshotDatasetReader SnapshotNestedDatasetReader
        SnapshotChunkDataset ListSnapshotChunksDataset SaveDataset LoadDataset DistributedSave Save SaveSlices Restore
        RestoreSlice MergeV2Checkpoints LoadAndRemapMatrix ImmutableConst PrintV2 DebugIdentity DebugNanCount
        DebugNumericSummary DumpTensor CreateSummaryFileWriter CreateSummaryDbWriter FileSystemSetConfiguration
    """,
    "the network": """
        DataServiceDataset RegisterDataset RpcClient RpcCall RpcServer RpcServerRegister RpcServerStart Send Recv _Send
        _Recv RemoteCall ConfigureDistributedTPU
    """,
    "Python": "PyFunc PyFuncStateless EagerPyFunc",
    "code that cannot be looked into": "DatasetFromGraph RemoteFusedGraphExecute XlaCustomCall",
}
"""The names of operations by what they reach; some also have versions (V2) or are marked experimental."""
_NAMES = {what: re.compile(rf"(Experimental)?({'|'.join(names.split())})(V\d)?") for what, names in _REACH.items()}


def reached_by(saved_model: Any) -> dict[str, list[str]]:
    """Finds operations that reach beyond the texts, in all functions of a SavedModel, nested ones too.

    Args:
        saved_model: The content of its file.

    Returns:
        What is reached (files, the network, Python) to the names of the operations; usually empty.
    """
    used = {node.op for graph in saved_model.meta_graphs for node in _nodes(graph)}
    found = {what: sorted(op for op in used if names.fullmatch(op)) for what, names in _NAMES.items()}
    return {what: operations for what, operations in found.items() if operations}


def in_words(reached: Mapping[str, Iterable[str]]) -> str:
    """Puts what `reached_by` found in words."""
    return "; ".join(f"{what} ({', '.join(operations)})" for what, operations in reached.items())


def _nodes(meta_graph: Any) -> Iterator[Any]:
    """The nodes of a graph and its functions, without those by which every SavedModel saves and restores itself."""
    functions = {function.signature.name: function for function in meta_graph.graph_def.library.function}
    saver = meta_graph.saver_def
    own = {name.split(":")[0] for name in (saver.save_tensor_name, saver.restore_op_name, saver.filename_tensor_name)}
    others = [node for node in meta_graph.graph_def.node if node.name not in own]
    saving = [node for node in meta_graph.graph_def.node if node.name in own]
    left_out = _called(saving, functions) - _called(others, functions)
    yield from others
    for name, function in functions.items():
        if name not in left_out:
            yield from function.node_def


def _called(nodes: Iterable[Any], functions: Mapping[str, Any]) -> set[str]:
    """The names of the functions that nodes call, directly or not."""
    found: set[str] = set()
    left = list(nodes)
    while left:
        for value in left.pop().attr.values():
            for name in {value.func.name, *(function.name for function in value.list.func)} - found - {""}:
                found.add(name)
                left += functions[name].node_def if name in functions else ()
    return found

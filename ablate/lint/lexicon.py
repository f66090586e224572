"""What metrics, costs and configurations are called in reports, in English and Chinese."""

import re
from collections.abc import Mapping

SCORES: Mapping[str, str] = {
    "map": r"mAP|mean average precision|平均精度均值",
    "f": r"F[-\s]?scores?|F1|F值",
    "fscore": r"F[-\s]?scores?|F1|F值",
    "acc": r"accuracy|准确率|精度",
    "miou": r"mean IoU",
    "loss": r"损失",
}
"""Metric, by its bare name -> how else it is written (regular expression, without case)."""

SPLITS: Mapping[str, str] = {
    "train": r"training|train|训练集?",
    "val": r"validation|val|验证集?",
    "test": r"testing|test|测试集?",
}

COSTS: Mapping[str, str] = {
    "params": r"params?|parameters?|parameter count|参数量|参数增量|参数",
    "ops": r"[GM]?FLOPs|[GM]?MACs|计算增量|计算量|计算开销",
    "seconds": r"training time|train time|wall time|seconds|训练时间|耗时|用时",
    "memory": r"memory|GPU memory|内存占用|显存占用|显存|内存",
    "step": r"s/iter|time per iteration|iteration time|训练速度",
}

OPERATIONS = ("live_macs", "macs", "ops", "flops", "gflops")
"""The costs that a report's FLOPs may be."""

BASE = r"baseline(?:\s?模型|\s?model)?|基线(?:模型)?"
FULL = (
    r"full(?:\s?config(?:uration)?|\s?model)?|all modules|complete model"
    r"|完整配置|完整模型|全部模块|三模块"
)
OURS = re.compile(rf"(?:ours|本文(?:方法)?)\s*[(（]\s*(?:{FULL})\s*[)）]", re.IGNORECASE)
LACKING = re.compile(
    rf"(?:(?:{FULL})\s*)?(?:w/o|without|去掉|移除|[-−–]\s)\s*(.{{1,80}})", re.IGNORECASE
)
ONLY_BEFORE = r"(?:only|just|仅|单独|单)\s*"
ONLY_AFTER = r"\s*(?:only|alone|by itself|单独(?:使用)?|独立(?:使用)?)"
NOUN = r"\s*(?:模型|模块|配置|model|module|config(?:uration)?|variant)"

DELTA = re.compile(
    r"Δ|\bdelta\b|\bgain|\bchange\b|\bdiff|\bincrease|improvement|提升|增量|差异|差值|增益|变化(?!率)",
    re.IGNORECASE,
)
RELATIVE = re.compile(
    r"\brel\b|\brelative\b|% change|percent change|变化率|相对变化", re.IGNORECASE
)
AGAINST = re.compile(
    r"(?:相比|相对于?|较|对比|vs\.?|versus|over|against|compared (?:to|with)|relative to)\s*",
    re.IGNORECASE,
)
EXPECTED = re.compile(
    r"理论和|独立相加|预期和|additive (?:sum|expectation)|sum of (?:the )?parts"
    r"|expected \(additive\)",
    re.IGNORECASE,
)
RESIDUAL = re.compile(r"协同效应|交互效应|synergy|interaction", re.IGNORECASE)
PLAIN = re.compile(
    r"best|最佳|最优|实际|actual|observed|measured|final|最终|score|scores|分数|数值|"
    r"[(（]\s*(?:%|[KMG]|ms|s|min|h|[KMG]i?B|m|rad|m/s|秒|分|"
    r"higher is better|lower is better|越高越好|越低越好)\s*[)）]|[↑↓%:：\s]",
    re.IGNORECASE,
)
"""What a heading may say beside a metric and still mean its score."""
DELTA_PLAIN = re.compile(
    r"独立使用|单独使用|绝对|absolute|points?|百分点|" + DELTA.pattern + "|" + PLAIN.pattern,
    re.IGNORECASE,
)
ALONE = re.compile(r"独立|单独|\balone\b|\bonly\b|add-one", re.IGNORECASE)
MODULE = re.compile(r"^(?:module|component|模块|组件|factor)$", re.IGNORECASE)
CONFIGURATION = re.compile(
    r"配置|组合|方法|模型|变体|configuration|config|combination|variant|model|method|setting|cell"
    r"|level",
    re.IGNORECASE,
)
SEED = re.compile(r"^(?:seed|随机种子|种子)$", re.IGNORECASE)
ABSOLUTE = re.compile(r"绝对|absolute", re.IGNORECASE)
RELATIVELY = re.compile(r"相对|\brel\.|\brelative", re.IGNORECASE)
SUBSET = re.compile(r"except|without|excluding|besides|other than|除|不含|以外|之外", re.IGNORECASE)
"""Words that narrow what `all` or `the best` is said of."""
ASIDE = re.compile(
    r"默认|default|reference|参考|基准|无模块|no modules?|none|ours|本文|full|all(?: modules)?|全部"
    r"|三模块|[*\\\s]",
    re.IGNORECASE,
)
"""What may stand in parentheses behind a configuration's name and leave it that configuration."""
MARKS = "*\\ \ufe0f↑↓✓✔✅⭐★🏆🚀🥇🥈🥉🔥👑"
"""Signs behind a label that say nothing of where its numbers come from."""
EMPTY = frozenset({"", "-", "–", "—", "n/a", "无", "/"})
UNMEASURED = re.compile(
    r"预期|期望|预计|目标|建议|若|如果|假设|理论|expected|target|should|would|if\b|hypothe|assum"
    r"|suggest",
    re.IGNORECASE,
)
"""Words that make a line's numbers something else than a result."""
ELSEWHERE = re.compile(
    r"\bet al\b|\[\d+(?:\s?[,，\-]\s?\d+){0,9}\]|(?:an)?other (?:paper|report|study|work)"
    r"|\bclaim(?:s|ed)?\b|文献|原文|原论文|他人|另一(?:篇|份)|声称"
    r"|[“「『\"][^”」』\"]{0,200}\d[^”」』\"]{0,200}[”」』\"]",
    re.IGNORECASE,
)
"""What makes a statement one of another report: a citation, a quotation with numbers."""

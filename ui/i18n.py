"""Every string of the page in English and Chinese; `text(key, language)` fills in named values."""

from tools.evidence import Language
from tools.spec import specs

# key: (English, Chinese)
TEXT: dict[str, tuple[str, str]] = {
    "title": ("MedMPT Assistant", "MedMPT 助手"),
    "tagline": ("Respiratory medicine and chest CT, answered with evidence", "呼吸医学与胸部 CT：有据可查的回答"),
    "language": ("Language", "语言"),
    "case": ("Case", "病例"),
    "demo_cases": ("Demo cases", "示例病例"),
    "no_demo": ("No demo case is installed.", "尚未安装示例病例。"),
    "teaching_cases": ("Teaching cases", "教学病例"),
    "synthetic": ("synthetic", "合成数据"),
    "upload": ("Open your own file…", "打开自己的文件…"),
    "upload_hint": (
        "DICOM (zip or slices), NIfTI, FHIR bundle, case JSON or laboratory sheet (CSV). It stays on this computer and is erased with "
        "the session.",
        "DICOM（压缩包或切片）、NIfTI、FHIR、病例 JSON 或化验单（CSV）。文件仅保存在本机，会话结束即删除。",
    ),
    "card_empty": (
        "No case is open. Questions about guidelines and drugs work without one.",
        "尚未打开病例。指南和药物问题无需病例即可提问。",
    ),
    "close_case": ("Close case", "关闭病例"),
    "chat": ("Conversation", "对话"),
    "welcome": ("What would you like to know?", "您想了解什么？"),
    "welcome_hint": (
        "Every sentence of an answer is checked against its source; click a number to read it.",
        "回答中的每一句都与其来源核对；点击编号可查看原文。",
    ),
    "placeholder": ("Ask about this case, a guideline or a drug…", "就此病例、指南或药物提问…"),
    "send": ("Ask", "提问"),
    "stop": ("Stop", "停止"),
    "new": ("New conversation", "新对话"),
    "examples": ("Try", "试试"),
    "example_1": (
        "Interpret the labs, compute CURB-65 and say what the guideline recommends",
        "解读化验结果，计算 CURB-65 评分，并说明指南的建议",
    ),
    "example_2": ("What does the chest CT show in figures?", "胸部 CT 的定量结果是什么？"),
    "example_3": ("Do the current medicines interact?", "目前的用药之间有相互作用吗？"),
    "example_4": ("How is a 7 mm solid nodule followed up?", "7 毫米实性结节如何随访？"),
    "example_5": ("Draft the report", "起草报告"),
    "example_6": ("Which drug would you start, and why not the others?", "应该先用哪种药，为什么不用其他的？"),
    "steps": ("Steps", "步骤"),
    "steps_running": ("Working…", "正在处理…"),
    "steps_done": ("{n} steps, {seconds} s", "{n} 个步骤，{seconds} 秒"),
    "steps_one": ("1 step, {seconds} s", "1 个步骤，{seconds} 秒"),
    "emergency": ("Needs attention now", "需立即处理"),
    "missing": ("Missing for a complete answer", "完整回答所缺的信息"),
    "removed": ("{n} sentences removed by the check", "核对后删除了 {n} 句"),
    "removed_one": ("1 sentence removed by the check", "核对后删除了 1 句"),
    "sources": ("Sources", "来源"),
    "limits": ("Limits", "局限"),
    "stopped": ("Stopped. What was already checked stays above.", "已停止。已核对的内容保留在上方。"),
    "no_answer": ("No sentence could be supported by evidence.", "没有句子能得到证据支持。"),
    "busy": (
        "A question or a case is still being worked on. Wait, or stop the question.",
        "上一个问题或病例仍在处理中。请等待，或停止该问题。",
    ),
    "stale_page": (
        "This page shows another case than the one that is open on the server, so nothing was asked. Reload the page.",
        "本页显示的病例与服务器上打开的病例不一致，问题未发送。请刷新页面。",
    ),
    "empty_question": ("Type a question first.", "请先输入问题。"),
    "failed": ("This question could not be answered: {reason}", "无法回答此问题：{reason}"),
    "kept": ("Your question is still in the box.", "您的问题仍保留在输入框中。"),
    "open_failed": ("The file was not opened.", "文件未能打开。"),
    "case_kept": ("The case that was open before is still open.", "之前打开的病例仍然打开。"),
    "expired": ("This page has lost its session. Reload it.", "页面会话已失效，请刷新。"),
    "internal": ("An internal failure; details are in the server's log.", "内部故障，详情见服务器日志。"),
    "seconds": ("{seconds} s", "{seconds} 秒"),
    "slice_link": ("slice {n}", "第 {n} 层"),
    "inference": ("inference", "推断"),
    "footer": (
        "Not a medical device. For research and education; decisions belong to clinicians.",
        "非医疗器械。仅供研究与教学；诊疗决策由临床医生作出。",
    ),
    "no_passage": ("This citation is not part of this conversation.", "此引用不属于本次对话。"),
    "passage_en": ("English", "英文"),
    "passage_zh": ("Chinese", "中文"),
    "year": ("Year", "年份"),
    "locator": ("Where", "出处"),
    "current": ("Current edition", "现行版本"),
    "superseded": ("Superseded by {by}", "已被 {by} 取代"),
    "superseded_plain": ("Superseded", "已被取代"),
    "conflict": ("Another source disagrees:", "另有来源与此不一致："),
    "validity_out": ("Outside the validity of this measurement", "超出此测量的适用范围"),
    "validity_unknown": ("Validity unknown", "适用性未知"),
    "open_source": ("Open the source", "打开原文"),
    "viewer": ("Chest CT", "胸部 CT"),
    "answered_by": ("Answered by: {name}", "回答者：{name}"),
    "model": ("Model: {name}", "模型：{name}"),
    "model_planner": ("built-in planner", "内置规划器"),
    "model_pick": ("Which model answers your questions", "由哪个模型回答您的问题"),
    "model_own": ("Another server or folder", "其他服务器或文件夹"),
    "model_spec": ("Its specification", "模型规格"),
    "model_use": ("Use it", "使用"),
    "model_test": ("Test", "测试"),
    "model_testing": ("Testing {name}…", "正在测试 {name}…"),
    "model_planner_ok": ("The planner is built in: there is nothing to test.", "规划器为内置，无需测试。"),
    "model_works": ("{name} works ({seconds} s).", "{name} 可用（{seconds} 秒）。"),
    "model_partly": (
        "{name} answers, but not all of this works; what it cannot do, the built-in planner does.",
        "{name} 有应答，但并非全部可用；其无法完成的部分由内置规划器完成。",
    ),
    "model_dead": ("{name} cannot be used: {reason}", "{name} 无法使用：{reason}"),
    "model_refused": ("Not taken: {reason}", "未采用：{reason}"),
    "model_now": ("From the next question on: {name}.", "从下一个问题起：{name}。"),
    "model_hint": (
        "Only for this browser session. A language model receives the question, the case card and the tools' results, never names, "
        "paths or images; what it writes is checked sentence by sentence. Keys come from the server's environment and cannot be "
        "entered here.",
        "仅对当前浏览器会话有效。语言模型只会收到问题、病例卡片和工具结果，绝不会收到姓名、路径或影像；其所写内容逐句核对。密钥仅来自服务器环境，不能在此输入。",
    ),
    "model_typed": ("A server that is typed here is sent no key.", "在此输入的服务器不会收到密钥。"),
    "model_listed": ("Only the models that this server's settings list can be chosen.", "只能选择此服务器设置中列出的模型。"),
    "trial_reachable": ("answers", "有应答"),
    "trial_tool_call": ("calls tools", "能调用工具"),
    "trial_structured_answer": ("hands in structured answers", "能提交结构化答案"),
    "draft_title": ("Report draft", "报告草稿"),
    "draft_note": (
        "Preliminary: a person must check and sign it. The mark before each sentence says where it comes from.",
        "初步草稿，须由医师核对并签发。每句前的标记说明其来源。",
    ),
    "withheld": ("{n} drafted sentences left out: the model's own detectors contradict them", "{n} 句草稿与模型自身的检测结果矛盾，已略去"),
    "ranking": ("Ranking", "药物排序"),
    "drug": ("Drug", "药物"),
    "place": ("Place", "地位"),
    "rank_score": ("Score", "得分"),
    "model_score": ("Model", "模型评分"),
    "against": ("What speaks against it here", "在该患者中的不利因素"),
    "rejected": ("rejected", "不选用"),
    "card_weights": ("Weights", "权重"),
    "card_trained": ("Trained on", "训练数据"),
    "card_licence": ("Licence", "许可"),
    "card_domain": ("Domain", "适用范围"),
    "card_distance": ("Distance / limit", "距离 / 上限"),
    "card_threshold": ("Operating point", "判定阈值"),
    "card_calibrated": ("Calibrated", "已校准"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
}

ORIGINS: dict[str, tuple[str, str]] = {
    "measured": ("measured", "测量"),
    "model": ("model", "模型"),
    "metadata": ("series", "序列信息"),
    "template": ("template", "模板"),
}
SECTION_NAMES: dict[str, tuple[str, str]] = {
    "technique": ("Technique", "检查技术"),
    "measurements": ("Measurements", "测量结果"),
    "findings": ("Findings", "影像所见"),
    "impression": ("Impression", "印象"),
    "limits": ("Limits", "局限"),
}
LINES: dict[str, tuple[str, str]] = {
    "first": ("first line", "一线"),
    "alternative": ("alternative", "替代"),
    "add_on": ("add-on", "附加"),
    "second": ("second line", "二线"),
    "prophylaxis": ("prophylaxis", "预防"),
}
SEVERITIES: dict[str, tuple[str, str]] = {
    "contraindicated": ("Contraindicated", "禁忌"),
    "major": ("Major", "严重"),
    "moderate": ("Moderate", "中度"),
    "minor": ("Minor", "轻度"),
    "unknown": ("Unknown", "未知"),
}
DOMAINS: dict[str, tuple[str, str]] = {
    "in": ("inside", "范围内"),
    "out": ("outside", "范围外"),
    "unknown": ("not known", "未知"),
}

TOOLS: dict[str, tuple[str, str]] = {s.name: s.labels for s in specs().values()}

STATUS: dict[str, tuple[str, str]] = {
    "running": ("running", "进行中"),
    "ok": ("done", "完成"),
    "partial": ("partial", "部分完成"),
    "empty": ("nothing found", "未找到"),
    "out_of_domain": ("outside its domain", "超出适用范围"),
    "unavailable": ("not installed", "未安装"),
    "error": ("failed", "失败"),
}

KINDS: dict[str, tuple[str, str]] = {
    "lab": ("Laboratory", "化验"),
    "score": ("Scores", "评分"),
    "guideline": ("Guidelines", "指南"),
    "document": ("Your documents", "导入的文档"),
    "drug_graph": ("Medicines", "药物"),
    "ct": ("Chest CT, measured", "胸部 CT 测量"),
    "model": ("Chest CT, model opinion", "胸部 CT 模型意见"),
    "report": ("Report", "报告"),
    "case": ("Case", "病例"),
    "similar_case": ("Similar cases", "相似病例"),
}

SUPPORT: dict[str, tuple[str, str]] = {
    "quoted": ("Quoted from the source", "引自来源原文"),
    "calculated": ("Calculated from the case", "由病例数据计算"),
    "measured": ("Measured on the CT", "由 CT 测量"),
    "verified": ("Checked against the source", "已与来源核对"),
    "inferred": ("Inferred from checked statements", "由已核对内容推断"),
}

# Why a chat model cannot be used, as the agent says it; other reasons are shown in its words.
REASONS: dict[str, str] = {
    "no connection to the server": "无法连接服务器",
    "the server did not answer in time": "服务器未及时应答",
    "the server did not finish in time": "服务器未及时完成",
    "this server offers only the models that its settings list (MEDMPT_LLM_CHOICES)": (
        "此服务器只提供其设置中列出的模型（MEDMPT_LLM_CHOICES）"
    ),
    "not understood: give vllm:MODEL@URL, openai:MODEL@URL, transformers:PATH or planner": (
        "无法识别：请输入 vllm:MODEL@URL、openai:MODEL@URL、transformers:PATH 或 planner"
    ),
    "an address with a user name, password or query is not taken here: keys come only from the server's environment": (
        "此处不接受带用户名、密码或查询参数的地址：密钥仅来自服务器环境"
    ),
}

# For the scripts of the page: the viewer and the passage drawer.
SCRIPT_TEXT: dict[str, dict[str, str]] = {
    "en": {
        "no_study": "No CT in this case",
        "no_case": "Open a case to see its CT",
        "loading": "Loading…",
        "slice": "Slice",
        "lung": "Lung",
        "mediastinum": "Mediastinum",
        "bone": "Bone",
        "window": "Window",
        "synthetic": "synthetic",
        "measuring": "Measuring…",
        "measure_hint": "Scroll or use ↑ ↓; click a lesion to measure it",
        "long": "long axis",
        "short": "short axis",
        "volume": "volume",
        "density": "mean",
        "close": "Close",
        "source": "Source",
        "failed": "Could not load",
        "study": "Study",
        "key_slices": "Key slices",
        "largest_lungs": "largest lung area",
        "carina": "carina",
        "most_emphysema": "most emphysema",
        "most_ground_glass": "most ground glass",
        "most_consolidation": "most consolidation",
        "solid": "solid",
        "part_solid": "part-solid",
        "ground_glass": "ground glass",
        "calcified": "calcified",
        "clear": "Clear measurement",
        "heatmap": "Model heatmap",
        "heatmap_finding": "Finding of the heatmap",
        "opacity": "Opacity",
        "model_runs": "The model is running…",
        "weights": "Weights",
        "abstains": "The model abstains:",
        "language": "en",
        "teach_title": "Your reading",
        "teach_hint": "Scroll through the CT, record what you see, then commit. Machine output and truth stay hidden until then.",
        "teach_finding": "Finding",
        "teach_side": "Side",
        "teach_size": "Size (mm)",
        "teach_confidence": "Confidence (1–5)",
        "teach_add": "Add finding",
        "teach_remove": "Remove",
        "teach_none": "Nothing recorded: committing now says that the study is normal.",
        "teach_commit": "Commit my reading",
        "teach_sure": "Commit? A committed reading cannot be changed.",
        "teach_yes": "Yes, commit",
        "teach_no": "Not yet",
        "teach_done": "Committed. This is what is there:",
        "teach_you": "You",
        "teach_machine": "Machine",
        "teach_truth": "Truth",
        "teach_feedback": "Feedback",
        "teach_called": "called",
        "teach_denied": "not called",
        "teach_no_detector": "no detector",
        "teach_abstained": "The model abstained:",
        "teach_also": "The machine also called:",
        "teach_absent": "not there",
        "teach_not_recorded": "not recorded",
        "left": "left",
        "right": "right",
        "both": "both",
        "ruler": "Click two points to measure their distance",
        "distance": "distance",
        "viewer_label": "CT slice. Arrow keys change the slice, Enter measures at the crosshair.",
    },
    "zh": {
        "no_study": "此病例没有 CT",
        "no_case": "打开病例以查看其 CT",
        "loading": "正在加载…",
        "slice": "层面",
        "lung": "肺窗",
        "mediastinum": "纵隔窗",
        "bone": "骨窗",
        "window": "窗",
        "synthetic": "合成数据",
        "measuring": "正在测量…",
        "measure_hint": "滚轮或 ↑ ↓ 翻层；点击病灶进行测量",
        "long": "长径",
        "short": "短径",
        "volume": "体积",
        "density": "平均",
        "close": "关闭",
        "source": "来源",
        "failed": "无法加载",
        "study": "检查",
        "key_slices": "关键层面",
        "largest_lungs": "肺面积最大",
        "carina": "隆突",
        "most_emphysema": "肺气肿最明显",
        "most_ground_glass": "磨玻璃影最明显",
        "most_consolidation": "实变最明显",
        "solid": "实性",
        "part_solid": "部分实性",
        "ground_glass": "磨玻璃",
        "calcified": "钙化",
        "clear": "清除测量",
        "heatmap": "模型热图",
        "heatmap_finding": "热图所示征象",
        "opacity": "不透明度",
        "model_runs": "模型运行中…",
        "weights": "权重",
        "abstains": "模型不作判断：",
        "language": "zh",
        "teach_title": "您的读片",
        "teach_hint": "浏览 CT，记录所见，然后提交。提交之前不显示机器结果和标准答案。",
        "teach_finding": "征象",
        "teach_side": "侧别",
        "teach_size": "大小（mm）",
        "teach_confidence": "把握程度（1–5）",
        "teach_add": "添加征象",
        "teach_remove": "删除",
        "teach_none": "尚未记录：此时提交表示检查正常。",
        "teach_commit": "提交我的读片",
        "teach_sure": "确认提交？提交后不能更改。",
        "teach_yes": "确认提交",
        "teach_no": "暂不提交",
        "teach_done": "已提交。实际情况如下：",
        "teach_you": "您",
        "teach_machine": "机器",
        "teach_truth": "标准答案",
        "teach_feedback": "反馈",
        "teach_called": "检出",
        "teach_denied": "未检出",
        "teach_no_detector": "无对应检测器",
        "teach_abstained": "模型不作判断：",
        "teach_also": "机器还检出：",
        "teach_absent": "不存在",
        "teach_not_recorded": "未记录",
        "left": "左侧",
        "right": "右侧",
        "both": "双侧",
        "ruler": "点击两点测量距离",
        "distance": "距离",
        "viewer_label": "CT 层面。方向键翻层，回车键在十字线处测量。",
    },
}


def text(key: str, language: Language, **values: object) -> str:
    """The page's string `key` in `language`; a missing key is a bug and raises KeyError."""
    return _pick(TEXT[key], language).format(**values)


def reason(words: str, language: Language) -> str:
    """Why a chat model cannot be used, in `language` where it is one of the known reasons."""
    return REASONS.get(words, words) if language == "zh" else words


def tool_name(name: str, language: Language) -> str:
    """A tool's name for people."""
    return _pick(TOOLS[name], language)


def status_name(status: str, language: Language) -> str:
    """A step's status for people."""
    return _pick(STATUS[status], language)


def support_name(support: str, language: Language) -> str:
    """How a sentence is supported, for people."""
    return _pick(SUPPORT[support], language)


def kind_name(kind: str, language: Language) -> str:
    """A kind of evidence as a heading."""
    return _pick(KINDS[kind], language)


def pick(pair: tuple[str, str], language: Language) -> str:
    """The member of an (English, Chinese) pair."""
    return _pick(pair, language)


def _pick(pair: tuple[str, str], language: Language) -> str:
    return pair[1] if language == "zh" else pair[0]

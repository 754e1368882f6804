from tools.evidence import Evidence, Quantity, ToolResult


def test_tool_result_survives_the_checkpointer() -> None:
    evidence = Evidence(
        key="L-urea",
        kind="lab",
        text="Urea is 11.2 mmol/L.",
        source="laboratory",
        quantities=(Quantity(name="urea", value=11.2, unit="mmol/L"),),
    )
    result = ToolResult(tool="interpret_labs", status="ok", evidence=(evidence,))
    assert ToolResult.model_validate(result.model_dump(mode="json")) == result
    assert "[L-urea] Urea is 11.2 mmol/L." in result.for_model("zh")

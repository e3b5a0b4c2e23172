"""Customers, defaults, litigation, ratings and statements come in by their maps."""

import pytest

from api.imports.mapping import find_map
from domain.errors import Code
from domain.files.history import DefaultEvent, ExternalRating, FinancialStatement, LitigationRecord, PublicSanction
from domain.files.parties import ContactPerson, CreditFile
from domain.money import Money

HEAD = 'kind = "{kind}"\nsource = "Accounting"\nlawful_basis = "CONTRACT"\n[columns]\nreference = "no"\n'


def plan(kind, columns, rest=""):
    lines = "".join(f'{field} = "{column}"\n' for field, column in columns.items())
    return HEAD.replace("{kind}", kind) + lines + rest


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "rows.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_customers_come_in_by_the_shipped_map(write, importing, world):
    shipped = find_map("customers")
    header = ",".join(shipped.read)
    said = {
        **dict.fromkeys(shipped.read, ""),
        "customer_no": "C-9",
        "name": "云帆网络",
        "kind": "企业",
        "credit_code": "91110000600037341L",
        "registered_capital": "1000000",
        "established": "2015-05-04",
        "size": "小型",
        "staff": "12",
        "phone": "010-62345678",
        "contact_name": "李娜",
        "contact_duty": "财务",
    }
    done = importing(write(f"{header}\n{','.join(said.values())}\n"), shipped)
    assert done.run.rows_rejected == 0, done.rejected.read_text(encoding="utf-8")
    file = next(item for item in world.current(CreditFile) if item.reference == "C-9")
    assert done.run.rows_stored == 1
    assert (file.registered_capital, file.staff_count) == (Money(1_000_000_00, "CNY"), 12)
    assert world.secret(file, "unified_social_credit_code") == "91110000600037341L"
    assert world.secret(world.current(ContactPerson)[0], "person_name") == "李娜"


def test_a_contact_needs_its_duty_and_a_wrong_code_names_its_column(write, importing):
    columns = {"name": "name", "contact_name": "who", "unified_social_credit_code": "code"}
    rest = '[constants]\nkind = "ENTERPRISE"\n'
    text = "no,name,who,code\nC-8,A,Li,\nC-9,B,,911100006000373410\n"
    done = importing(write(text), plan("customers", columns, rest))
    log = done.rejected.read_text(encoding="utf-8").splitlines()
    assert [entry.split(",")[:3] for entry in log[1:]] == [["1", "", "MISSING_VALUE"], ["2", "code", "MALFORMED_CODE"]]


def test_defaults_come_in_sealed(write, importing, world):
    columns = {"kind": "what", "amount": "amount", "since_on": "since"}
    rest = '[constants]\ncurrency = "CNY"\n[dates]\nsince_on = "YYYY/M/D"\n[values.kind]\n"逾期" = "LATE_PAYMENT"\n'
    done = importing(write("no,what,amount,since\nC-1,逾期,12.5,2026/2/1\n"), plan("defaults", columns, rest))
    (event,) = world.current(DefaultEvent)
    assert done.run.rows_stored == 1
    assert world.secret(event, "default_amount") == Money(12_50, "CNY")


def test_litigation_comes_in_sealed(write, importing, world):
    columns = {"court": "court", "case_number": "case", "role": "role", "severity": "weight", "filed_on": "filed"}
    text = "no,court,case,role,weight,filed\nC-1,Haidian,2026-1,defendant,MINOR,2026-02-01\nC-1,,2,x,MINOR,2026-02-01\n"
    done = importing(write(text), plan("litigation", columns))
    (case,) = world.current(LitigationRecord)
    assert world.secret(case, "court") == "Haidian"
    assert [item.code for item in done.run.rejected] == []
    assert done.run.rows_rejected == 1


def test_sanctions_come_in_sealed(write, importing, world):
    columns = {"authority": "by", "kind": "what", "severity": "class", "published_on": "on", "publish_until": "until"}
    rest = '[constants]\nmatch = "NAME_ONLY"\n[values.kind]\n"失信被执行人" = "DISHONEST_JUDGMENT_DEBTOR"\n'
    rest += '[values.severity]\n"严重" = "SEVERE"\n'
    row = "C-1,Court,失信被执行人,严重,2026-02-01,"
    text = f"no,by,what,class,on,until\n{row}\n{row}2026-01-01\n"
    done = importing(write(text), plan("sanctions", columns, rest))
    (sanction,) = world.current(PublicSanction)
    assert (world.secret(sanction, "sanction_kind"), world.secret(sanction, "sanction_match")) == (
        "DISHONEST_JUDGMENT_DEBTOR",
        "NAME_ONLY",
    )
    assert done.run.rows_rejected == 1


def test_ratings_come_in_sealed(write, importing, world):
    columns = {"agency": "agency", "rating": "grade", "band": "grade", "rated_on": "on"}
    rest = '[values.band]\n"A*" = "GOOD"\n"*" = "WEAK"\n'
    done = importing(write("no,agency,grade,on\nC-1,Agency,AA,2026-02-01\n"), plan("ratings", columns, rest))
    (rating,) = world.current(ExternalRating)
    assert done.run.rows_stored == 1
    assert (world.secret(rating, "rating"), world.secret(rating, "rating_band")) == ("AA", "GOOD")


def test_statements_come_in_sealed_and_a_missing_figure_rejects_its_row(write, importing, world):
    figures = ("current_assets", "current_liabilities", "total_assets", "total_liabilities")
    figures += ("tangible_net_worth", "net_profit", "operating_cash_flow")
    columns = {"period_end": "end", "audited": "audited", **{name: name for name in figures}}
    text = f"no,end,audited,{','.join(figures)}\nC-1,2025-12-31,YES,4,2,9,5,4,1,1\nC-1,2024-12-31,NO,4,,9,5,4,1,1\n"
    done = importing(write(text), plan("statements", columns, '[constants]\ncurrency = "CNY"\n'))
    (statement,) = world.current(FinancialStatement)
    assert statement.audited is True
    assert world.secret(statement, "net_profit") == Money(1_00, "CNY")
    assert done.run.rows_rejected == 1
    assert Code.MISSING_VALUE.value in done.rejected.read_text(encoding="utf-8")

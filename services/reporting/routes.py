"""reporting over HTTP: figures, the rows behind each, the proof that they add up, and the reports made of them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from collections.abc import AsyncIterator
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BeforeValidator
from starlette.responses import JSONResponse, Response

from services.reporting import metrics, store
from services.reporting.domain.period import parse_day, parse_period
from services.reporting.domain.selection import Selection
from services.reporting.domain.tally import Group, Measure
from services.reporting.report import BY_INDUSTRY, BY_REGION, MEDIA_TYPE, Sheet, workbook
from services.reporting.shapes import fact_json, recount_json, rows_json
from shared.access import Reader, Staff, staff_with
from shared.codes import prefix_of
from shared.database import Connection
from shared.paging import Cursor, Limit, capped, page, place_of
from shared.problems import Problem
from shared.vocabulary import Grade, Industry, Level
